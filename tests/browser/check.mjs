// Opens each page named on the command line in many ways and prints, as JSON, what was seen.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { launched, opened } from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [{ scheme: "light", width: 1000 }, { scheme: "dark", width: 360 }];

const browser = await launched();
const seen = {};
for (const file of process.argv.slice(2)) {
  seen[file] = { views: [], used: await used(file), plain: await plain(file), print: await printed(file) };
  for (const view of VIEWS) seen[file].views.push(await viewed(file, view));
}
console.log(JSON.stringify(seen));
await browser.close();

async function viewed(file, view) {
  const { context, page, heard } = await opened(browser, file, view);
  for (const details of await page.locator("details > summary").all()) await details.click();
  const found = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - innerWidth,
    background: getComputedStyle(document.body).backgroundColor,
    harmed: "harmed" in window,
  }));
  // The page's own policy forbids scripts that are not its own; what the protocol evaluates is not bound by it.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  await context.close();
  return {
    ...view, ...found, heard,
    violations: violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0].html.slice(0, 200)}`),
  };
}

async function used(file) {
  const { context, page } = await opened(browser, file);
  const labels = () => page.locator("#label-table tbody th bdi, #label-table tbody th i").allTextContents();
  const told = () => page.locator(".tools output").textContent();
  const found = { text: await page.locator("main").innerText(), first: await labels() };
  const search = page.getByRole("searchbox");
  if (await search.count()) {
    await search.fill(found.first.at(-1).slice(0, 6).toUpperCase());
    found.searched = await labels();
    await search.fill("");
    await page.getByRole("button", { name: "Label", exact: true }).click();
    found.byName = await labels();
    await page.getByRole("button", { name: "Images" }).click();
    found.byImages = await page.locator("#label-table tbody td:nth-child(2)").allTextContents();
    found.told = await told();
    const fold = page.locator(".tools button");
    if (await fold.isVisible()) {
      await fold.click();
      found.opened = await labels();
    }
  }
  await context.close();
  return found;
}

async function plain(file) {
  const { context, page } = await opened(browser, file, { script: false });
  const rows = await page.locator("#label-table tbody tr, #more-labels tbody tr").count();
  const found = { rows, text: await page.locator("main").innerText() };
  await context.close();
  return found;
}

async function printed(file) {
  const { context, page } = await opened(browser, file, { scheme: "dark" });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const found = await page.evaluate(() => ({
    background: getComputedStyle(document.body).backgroundColor,
    tools: [...document.querySelectorAll(".tools")].map((each) => getComputedStyle(each).display),
  }));
  await page.emulateMedia({ media: null });
  found.pages = (await page.pdf({ format: "A4" })).toString("latin1").split("/Type /Page\n").length - 1;
  await context.close();
  return found;
}
