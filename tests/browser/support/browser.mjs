// Headless Chromium, axe, and pictures.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = new URL("../../../docs/screenshots/", import.meta.url);
const wanted = process.env.SCREENSHOTS !== "no";

export const DESKTOP = { width: 1180, height: 800 };
export const PHONE = { width: 390, height: 844 };

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

// A browser of its own, and what went wrong in it: a blocked resource, an exception, a page that loads from elsewhere.
export async function person(browser, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, colorScheme: "light", reducedMotion: "reduce", ...options });
  const problems = [];
  const watch = (page) => {
    page.on("console", (message) => {
      // A refused form is answered with its status, which the console calls an error too.
      if (message.type() === "error" && !/status of (4|5)\d\d/.test(message.text())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
  };
  context.on("page", watch);
  const page = await context.newPage();
  return { context, page, problems };
}

// No violation in light or dark, on the page as it stands with everything unfolded.
export async function accessible(page) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
    // Run over the debugger, because the pages' own policy lets no script in.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`),
    );
    assert.deepEqual(found, [], `${page.url()} in ${colorScheme}`);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = false)));
  await page.emulateMedia({ colorScheme: "light" });
}

// The page in light and dark, on desktop and phone; nothing may stick out sideways.
export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} sticks out by ${wide} pixels on a ${size}`);
      if (!wanted) continue;
      await page.screenshot({
        path: new URL(`${name}-${size}-${colorScheme}.png`, pictures).pathname,
        animations: "disabled",
        fullPage: true,
        clip: await clip(page),
      });
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: "light" });
}

// The whole page, but not more than can be taken in.
async function clip(page) {
  return page.evaluate(() => ({
    x: 0,
    y: 0,
    width: innerWidth,
    height: Math.min(document.documentElement.scrollHeight, 1700),
  }));
}
