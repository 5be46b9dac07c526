// What the tests and the screenshots share: a browser that asks nobody for anything but the page.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export const launched = () =>
  chromium.launch({ executablePath: process.env.TWOFOLD_CHROMIUM, args: FLAGS });

export async function opened(browser, file, { width = 1000, height = 900, scheme = "light", script = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, javaScriptEnabled: script, locale: "en-GB",
  });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const heard = [];
  page.on("console", (message) => heard.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== `file://${file}`) heard.push(`request: ${request.url()}`);
  });
  await page.goto(`file://${file}`);
  return { context, page, heard };
}
