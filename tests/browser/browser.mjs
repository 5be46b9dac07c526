// Shared by the tests and the screenshots: open a page and record console messages, errors and requests.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export const launchBrowser = () =>
  chromium.launch({ executablePath: process.env.TWOFOLD_CHROMIUM, args: FLAGS });

export async function openPage(browser, file, { width = 1000, height = 900, scheme = "light", script = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, javaScriptEnabled: script, locale: "en-GB",
  });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const events = [];
  page.on("console", (message) => events.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => events.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== `file://${file}`) events.push(`request: ${request.url()}`);
  });
  await page.goto(`file://${file}`);
  return { context, page, events };
}
