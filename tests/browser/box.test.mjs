// Marketplace in a box: the whole journey, by clicks only.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { accessible, launch, person, picture } from "./support/browser.mjs";
import { startSystem } from "./support/system.mjs";

let system, browser, engineer;

before(async () => {
  [system, browser] = await Promise.all([startSystem(), launch()]);
});
after(() => Promise.all([browser?.close(), system?.stop()]));
beforeEach(async () => {
  engineer = await person(browser);
  // Simulated days take real seconds, more on a busy machine.
  engineer.page.setDefaultTimeout(120_000);
  await engineer.page.goto(system.url);
});
afterEach(async () => {
  assert.deepEqual(engineer.problems, [], "the browser has nothing to complain about");
  await engineer.context.close();
});

async function newTab(page, click) {
  const [tab] = await Promise.all([page.context().waitForEvent("page"), click()]);
  await tab.waitForLoadState();
  return tab;
}

async function setUp(page, button) {
  const tab = await newTab(page, () => button.click());
  await accessible(tab);
  await tab.getByRole("button", { name: "Set up your account" }).click();
  await tab.getByLabel("E-mail address").fill("jo@example.com");
  await tab.getByRole("button", { name: "Complete registration" }).click();
  await tab.getByText("Your details are saved").waitFor();
  await tab.close();
}

test("the tour leads through a subscription's life, and the bill is right to the unit", async () => {
  const { page } = engineer;
  await accessible(page);
  await picture(page, "box-start");
  await page.getByRole("link", { name: "Take the tour" }).click();
  const at = (title) => page.getByRole("heading", { level: 1, name: title }).waitFor();
  const press = (name) => page.getByRole("button", { name }).click();
  await at("A buyer subscribes");
  await accessible(page);
  await press("Subscribe as a buyer");
  await at("The buyer sets up the account");
  await press("The form is sent: go on");
  await page.getByText("The buyer has not registered yet.").waitFor();
  await page.getByRole("link", { name: "Back" }).click();
  await setUp(page, page.getByRole("link", { name: "Set up your account" }));
  await press("The form is sent: go on");
  await at("AWS activates the license");
  await press("Let two minutes pass");
  await at("The buyer uses the product");
  await page.getByText("The platform was told: provision.").waitFor();
  await press("Report 620 scans");
  await at("An hour passes: usage goes to AWS");
  await press("Let two hours pass");
  await at("AWS loses an answer");
  await page.getByRole("cell", { name: "the same" }).waitFor();
  await accessible(page);
  await picture(page, "box-tour");
  await press("Report 30 more, and lose AWS's answer");
  await at("What buyer and operator see");
  await page.getByText("the answer was lost").first().waitFor();
  const account = await newTab(page, () => page.getByRole("button", { name: /Account page/ }).click());
  await account.getByText("650 scans").first().waitFor();
  await account.close();
  const desk = await newTab(page, () => page.getByRole("button", { name: /Open the desk/ }).click());
  await desk.getByRole("heading", { name: "Subscriptions" }).waitFor();
  await desk.close();
  await press("Go on");
  await at("The buyer cancels");
  await press("Use 7 more, cancel, and let the final hour pass");
  await at("Billed to the unit");
  const row = await page.getByRole("row", { name: /Compliance scans/ }).innerText();
  assert.match(row.replaceAll(/\s+/g, " "), /657 157 0 157 the same/);
  await page.getByText("157 scans × $1.00 = $157.00").waitFor();
  await page.getByText("The words you have met").waitFor();
  await accessible(page);
  await picture(page, "box-tour-end");
});

test("a buyer's whole life by clicks: buy, set up, use, amend, renew, replace, cancel", async () => {
  const { page } = engineer;
  const go = (name) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name }).click();
  await go("Storefront");
  await page.getByLabel("Basic").check();
  await page.getByLabel("Buyer's AWS account").fill("222233334444");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText("The buyer accepted the offer.").waitFor();
  const cards = page.getByRole("article").filter({ hasText: "222233334444" });
  await setUp(page, cards.getByRole("link", { name: /Set up your account/ }));
  await page.getByRole("button", { name: "+ 2 minutes" }).click();
  await page.getByText("Time has passed").waitFor();
  await cards.getByText("Active", { exact: true }).waitFor();
  await accessible(page);
  await picture(page, "box-storefront");

  await go("Usage");
  await accessible(page);
  await picture(page, "box-usage");
  await page.getByLabel("Subscription").selectOption({ index: 0 });
  await page.getByLabel("How much in all").fill("130.5");
  await page.getByLabel("In how many reports").fill("20");
  await page.getByLabel(/Send every report twice/).check();
  await page.getByRole("button", { name: "Report", exact: true }).click();
  await page.getByText("20 counted, 20 known already, 0 refused").waitFor();

  await go("Faults");
  await accessible(page);
  await picture(page, "box-faults");
  await page.getByLabel("AWS throttles the call").fill("3");
  await page.getByLabel("AWS does it, and its answer is lost").fill("1");
  await page.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByText("The faults are set.").waitFor();
  await page.getByRole("button", { name: "+ 1 day" }).click();
  await page.getByText("Time has passed").waitFor();
  await page.getByRole("button", { name: "Nothing goes wrong" }).click();
  await page.getByText("Nothing goes wrong on purpose").waitFor();

  await go("Money");
  await page.getByText("AWS bills exactly what is due.").waitFor();
  await accessible(page);
  await picture(page, "box-money");

  await go("Storefront");
  await cards.getByText("Change or cancel").click();
  await cards.getByLabel("Other plan").selectOption("PREMIUM");
  await cards.getByRole("button", { name: "Amend" }).click();
  await page.getByText("The agreement was changed.").waitFor();
  await page.getByRole("button", { name: "+ 2 minutes" }).click();
  const active = cards.filter({ hasText: "active" });
  await active.first().getByText("Change or cancel").click();
  await active.first().getByRole("button", { name: "Renew" }).click();
  await page.getByText("The agreement was changed.").waitFor();
  await page.getByRole("button", { name: "+ 2 minutes" }).click();
  await active.first().getByText("Change or cancel").click();
  await active.first().getByRole("button", { name: "Replace" }).click();
  await page.getByText("The agreement was changed.").waitFor();
  await page.getByRole("button", { name: "+ 2 minutes" }).click();
  await active.first().getByText("Change or cancel").click();
  await active.first().getByRole("button", { name: "Cancel subscription" }).click();
  await page.getByText("The agreement has ended.").waitFor();
  await page.getByRole("button", { name: "+ 1 hour" }).click();
  await page.getByText("Time has passed").waitFor();

  await go("Messages");
  await page.getByRole("cell", { name: "none", exact: true }).or(page.getByText("none", { exact: true })).first().waitFor();
  await page.getByRole("rowheader", { name: "revoke" }).first().waitFor();
  await page.getByRole("rowheader", { name: "registered" }).first().waitFor();
  await page.locator("summary").filter({ hasText: "jo@example.com" }).first().click();
  await page.getByText("thank you for subscribing").first().waitFor();
  await accessible(page);
  await picture(page, "box-messages");
  await go("Wire log");
  await page.getByLabel("Operation").selectOption("BatchMeterUsage");
  await page.getByRole("button", { name: "Show" }).click();
  const lost = page.locator("details").filter({ hasText: "the answer was lost" }).first();
  await lost.locator("summary").click();
  await lost.getByText("UsageRecords").first().waitFor();
  await accessible(page);
  await lost.locator("summary").click();
  await picture(page, "box-wire");
  await go("Money");
  await page.getByText("AWS bills exactly what is due.").waitFor();
});

test("a month ends, and usage of its last hours is still billed in it", async () => {
  const end = await startSystem("--clock", "2026-11-29T08:00:00Z");
  const { page, context } = await person(browser);
  page.setDefaultTimeout(120_000);
  await page.goto(end.url);
  const go = (name) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name }).click();
  await go("Storefront");
  await page.getByLabel("Buyer's AWS account").fill("333344445555");
  await page.getByRole("button", { name: "Subscribe" }).click();
  const card = page.getByRole("article").filter({ hasText: "333344445555" });
  await setUp(page, card.getByRole("link", { name: /Set up your account/ }));
  await page.getByRole("button", { name: "+ 2 minutes" }).click();
  await page.getByRole("button", { name: "To month end" }).click();
  await page.getByText("Monday, 30 November 2026, 23:3").waitFor();
  await go("Usage");
  await page.getByLabel("Subscription").selectOption({ label: await page.locator("#subscription option", { hasText: "333344445555" }).textContent() });
  await page.getByLabel("How much in all").fill("501");
  await page.getByRole("button", { name: "Report", exact: true }).click();
  await page.getByText("1 counted").waitFor();
  for (let hour = 0; hour < 5; hour += 1) {
    await page.getByRole("button", { name: "+ 1 hour" }).click();
    await page.getByText("Time has passed").waitFor();
  }
  await go("Money");
  await page.getByText("AWS bills exactly what is due.").waitFor();
  const row = await page.getByRole("row", { name: /Compliance scans.* 2026-11 501 1 0 1/ }).innerText();
  assert.match(row, /the same/);
  await Promise.all([context.close(), end.stop()]);
});

test("without JavaScript the box works as well", async () => {
  const plain = await person(browser, { javaScriptEnabled: false });
  await plain.page.goto(`${system.url}/box/store`);
  await plain.page.getByRole("button", { name: "Subscribe" }).click();
  await plain.page.getByText("The buyer accepted the offer.").waitFor();
  await plain.context.close();
});

test("another site cannot press the box's buttons", async () => {
  const { page } = engineer;
  await page.goto("about:blank");
  await page.setContent(`<form method="post" action="${system.url}/box/schedule"><input name="stop" value="true"><button>Win</button></form>`);
  const [answer] = await Promise.all([page.waitForResponse(/box/), page.getByRole("button").click()]);
  assert.equal(answer.status(), 403);
});
