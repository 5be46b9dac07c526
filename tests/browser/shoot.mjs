// Takes the pictures that are asked for as JSON: [{file, picture, section, width, height, scheme}].
import { launched, opened } from "./browser.mjs";

const browser = await launched();
for (const { file, picture, section, ...view } of JSON.parse(process.argv[2])) {
  const { context, page } = await opened(browser, file, view);
  const heading = page.locator(`#${section}-heading`);
  if (await heading.count()) await heading.evaluate((each) => scrollTo(0, each.offsetTop - 16));
  await page.screenshot({ path: picture });
  await context.close();
}
await browser.close();
