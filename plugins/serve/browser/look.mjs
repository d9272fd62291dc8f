// Looks at every page of a running `hub serve` in Chromium: three widths, two languages, axe, and what the
// browser itself complains of. Usage: node look.mjs ADDRESS FOLDER, where ADDRESS is the one that `hub serve`
// printed or one with ?token=. Exits with 1 where anything is wrong; the screens lie in FOLDER.
import fs from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [, , address, folder, only] = process.argv;
const root = new URL(address).origin;
const widths = [390, 820, 1440];
const langs = ["fr", "en"];
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
fs.mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ locale: "en-GB" });
const first = await context.newPage();
await first.goto(address);
const project = await first.locator("#projects tbody th a").first().getAttribute("href");
const code = decodeURIComponent(new URL(project, root).pathname.split("/").pop());
const cuts = await first.locator("#cut option").evaluateAll((all) => all.map((one) => one.value).filter(Boolean));
const pages = {
  portfolio: "/",
  project,
  moves: "/moves",
  load: "/load",
  whatif: `/load?project=${encodeURIComponent(code)}&weeks=4`,
  flow: "/flow",
  service: "/service",
  figures: "/figures",
  figure: "/figures/LANDING",
  rows: `/figures/RAF/rows?project=${encodeURIComponent(code)}`,
  sources: "/sources",
  dictionary: "/dictionary",
  table: "/dictionary/fact_kpi",
  connect: "/connect",
  missing: "/projects/there-is-none",
};
if (cuts.length) pages.cut = `/?cut=${encodeURIComponent(cuts[cuts.length - 1])}`;
await first.close();
const outside = await browser.newContext({ locale: "en-GB" });
let wrong = 0;
const say = (text) => {
  wrong += 1;
  console.log(text);
};

async function look(where, name, path, lang, width) {
  const page = await where.newPage();
  await page.setViewportSize({ width, height: 900 });
  page.on("console", (one) => {
    if (one.type() === "error" && !(name === "missing" && one.text().includes("404"))) say(`${name} ${lang} ${width}: ${one.text()}`);
  });
  page.on("request", (one) => one.url().startsWith(root) || say(`${name} ${lang} ${width}: asks ${one.url()}`));
  await page.goto(`${root}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`, { waitUntil: "load" });
  await page.evaluate(async () => {
    for (const one of document.querySelectorAll("img")) {
      one.loading = "eager";
      await one.decode().catch(() => {});
    }
  });
  const broken = await page.evaluate(() => [...document.images].filter((one) => !one.naturalWidth).map((one) => one.src));
  for (const one of broken) say(`${name} ${lang} ${width}: no picture ${one}`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) say(`${name} ${lang} ${width}: ${over} pixels wider than the window`);
  const spoken = await page.evaluate(() => document.documentElement.lang);
  if (spoken !== lang) say(`${name} ${lang} ${width}: speaks ${spoken}`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const one of found.violations) {
    for (const node of one.nodes.slice(0, 3)) say(`${name} ${lang} ${width}: ${one.id} (${one.impact}) ${node.target} ${node.failureSummary.split("\n")[1] || ""}`);
  }
  await page.screenshot({ path: `${folder}/${name}-${lang}-${width}.png`, fullPage: true });
  if (width === 1440 && (name === "portfolio" || name === "project")) await page.pdf({ path: `${folder}/${name}-${lang}.pdf`, preferCSSPageSize: true });
  await page.close();
}

for (const lang of langs) {
  for (const width of widths) {
    for (const [name, path] of Object.entries(pages)) if (!only || only.split(",").includes(name)) await look(context, name, path, lang, width);
    if (!only || only.split(",").includes("signin")) await look(outside, "signin", "/signin", lang, width);
  }
}

// by keyboard: the skip link is first and leads to the content; a head sorts its column
const page = await context.newPage();
await page.goto(`${root}/?lang=en`);
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
if ((await page.evaluate(() => document.activeElement.id)) !== "main") say("the skip link does not lead to the content");
const head = page.locator("#projects thead th button").first();
await head.focus();
await page.keyboard.press("Enter");
const codes = await page.locator("#projects tbody th").evaluateAll((all) => all.map((one) => one.dataset.order));
if (JSON.stringify(codes) !== JSON.stringify([...codes].sort())) say(`sorting by the keyboard gave ${codes}`);
await browser.close();
console.log(`${wrong} found wrong`);
process.exit(wrong ? 1 : 0);
