// Open each page of the command line in several ways and print the observations as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { launchBrowser, openPage } from "./browser.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [{ scheme: "light", width: 1000 }, { scheme: "dark", width: 360 }];

const browser = await launchBrowser();
const observations = {};
for (const file of process.argv.slice(2)) {
  observations[file] = { views: [], used: await useTools(file), plain: await checkWithoutScript(file), print: await checkPrint(file) };
  for (const view of VIEWS) observations[file].views.push(await checkView(file, view));
}
console.log(JSON.stringify(observations));
await browser.close();

async function checkView(file, view) {
  const { context, page, events } = await openPage(browser, file, view);
  for (const details of await page.locator("details > summary").all()) await details.click();
  const observed = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - innerWidth,
    background: getComputedStyle(document.body).backgroundColor,
    harmed: "harmed" in window,
  }));
  // The content security policy of the page does not apply to scripts evaluated through the protocol.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  await context.close();
  return {
    ...view, ...observed, events,
    violations: violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0].html.slice(0, 200)}`),
  };
}

async function useTools(file) {
  const { context, page } = await openPage(browser, file);
  const labels = () => page.locator("#label-table tbody th bdi, #label-table tbody th i").allTextContents();
  const readStatus = () => page.locator(".tools output").textContent();
  const observed = { text: await page.locator("main").innerText(), first: await labels() };
  const search = page.getByRole("searchbox");
  if (await search.count()) {
    await search.fill(observed.first.at(-1).slice(0, 6).toUpperCase());
    observed.searched = await labels();
    await search.fill("");
    await page.getByRole("button", { name: "Label", exact: true }).click();
    observed.byName = await labels();
    await page.getByRole("button", { name: "Images" }).click();
    observed.byImages = await page.locator("#label-table tbody td:nth-child(2)").allTextContents();
    observed.status = await readStatus();
    const fold = page.locator(".tools button");
    if (await fold.isVisible()) {
      await fold.click();
      observed.opened = await labels();
    }
  }
  await context.close();
  return observed;
}

async function checkWithoutScript(file) {
  const { context, page } = await openPage(browser, file, { script: false });
  const rows = await page.locator("#label-table tbody tr, #more-labels tbody tr").count();
  const observed = { rows, text: await page.locator("main").innerText() };
  await context.close();
  return observed;
}

async function checkPrint(file) {
  const { context, page } = await openPage(browser, file, { scheme: "dark" });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const observed = await page.evaluate(() => ({
    background: getComputedStyle(document.body).backgroundColor,
    tools: [...document.querySelectorAll(".tools")].map((element) => getComputedStyle(element).display),
  }));
  await page.emulateMedia({ media: null });
  observed.pages = (await page.pdf({ format: "A4" })).toString("latin1").split("/Type /Page\n").length - 1;
  await context.close();
  return observed;
}
