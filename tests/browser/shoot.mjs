// Take the screenshots of a JSON argument: [{file, picture, section, width, height, scheme}].
import { launchBrowser, openPage } from "./browser.mjs";

const browser = await launchBrowser();
for (const { file, picture, section, ...view } of JSON.parse(process.argv[2])) {
  const { context, page } = await openPage(browser, file, view);
  const heading = page.locator(`#${section}-heading`);
  if (await heading.count()) await heading.evaluate((element) => scrollTo(0, element.offsetTop - 16));
  await page.screenshot({ path: picture });
  await context.close();
}
await browser.close();
