// The buyer's account page against a month whose numbers are known.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, launch, person, picture } from "./support/browser.mjs";
import { startSystem } from "./support/system.mjs";

let system, browser, buyer;

before(async () => {
  [system, browser] = await Promise.all([startSystem(), launch()]);
  buyer = await system.subscribe();
  // Ten days: 62 scans a day, users up to 28, some API calls. The plan includes 500 scans and 25 users.
  for (let day = 0; day < 10; day += 1) {
    const { now } = await system.call("GET", "/_local/clock");
    await system.report(buyer.subscription, [
      { key: `scans-${day}`, metric: "totalScans", quantity: "62", at: now },
      { key: `users-${day}`, metric: "totalUsers", quantity: String(19 + day), at: now },
      { key: `calls-${day}`, metric: "apiCalls", quantity: "1200.5", at: now },
    ]);
    await system.advance(day < 9 ? { advanceDays: 1 } : { advanceHours: 2 });
  }
});
after(() => Promise.all([browser?.close(), system?.stop()]));

async function open(options) {
  const visitor = await person(browser, options);
  await visitor.page.goto(await system.link(`tenant:${buyer.tenant}`, { page: "account", subscriptionId: buyer.subscription }));
  return visitor;
}

test("the page shows status, plan, renewal, usage, charges and records, exactly", async () => {
  const { page, context, problems } = await open();
  const text = await page.locator("main").innerText();
  for (const expected of [
    "Your subscription is active.",
    "Standard",
    "620 scans used, 500 included",
    "120 scans beyond what is included: $120.00",
    "28 users used, 25 included",
    "3 users beyond what is included: $45.00",
    "12,005 calls used, none included",
    // 299 + 120 + 45 + 12,005 × 0.001
    "$476.005",
    "billed by AWS",
    "What AWS was told",
    "Manage subscriptions",
    "Cancel subscription",
  ]) {
    assert.ok(text.replaceAll(/\s+/g, " ").includes(expected), `${expected}\n${text}`);
  }
  const bill = await system.call("GET", `/marketplace/subscriptions/${buyer.subscription}/billing`);
  assert.equal(bill.estimatedTotal.replace(/0+$/, ""), "476.005", "the API says the same");
  await accessible(page);
  await picture(page, "account");
  assert.deepEqual(problems, []);
  await context.close();
});

test("charts have their numbers as text, for each dimension", async () => {
  const { page, context } = await open();
  await page.getByRole("link", { name: "Compliance scans" }).click();
  const chart = page.getByRole("img", { name: /Compliance scans \(scans\) a day in November 2026/ });
  assert.match(await chart.getAttribute("aria-label"), /The highest column is 10 November: 62\./);
  await page.getByText("The same as a table").first().click();
  await page.getByRole("row", { name: "19 November 62" }).waitFor();
  await page.getByRole("link", { name: "Active users" }).click();
  await page.getByRole("img", { name: /Active users .* The highest column is 19 November: 28\./ }).waitFor();
  await context.close();
});

test("a link opens the page once; the session reloads it; another tenant gets no link", async () => {
  const url = await system.link(`tenant:${buyer.tenant}`, { page: "account", subscriptionId: buyer.subscription });
  const first = await person(browser);
  await first.page.goto(url);
  await first.page.reload();
  await first.page.getByText("Your subscription is active.").waitFor();
  const thief = await person(browser);
  await thief.page.goto(url);
  await thief.page.getByRole("heading", { name: "This link has been used" }).waitFor();
  await accessible(thief.page);
  await picture(thief.page, "used-link");
  await thief.page.goto(first.page.url());
  await thief.page.getByRole("heading", { name: "Please open this page again" }).waitFor();
  await assert.rejects(
    system.link("tenant:somebody-else", { page: "account", subscriptionId: buyer.subscription }),
    /unknown_subscription/,
  );
  await Promise.all([first.context.close(), thief.context.close()]);
});

test("a subscription on hold, and one that was cancelled, say so", async () => {
  const path = `/marketplace/subscriptions/${buyer.subscription}`;
  await system.call("PUT", path, { suspended: true }, { "if-match": "*" });
  const { page, context } = await open();
  await page.getByText("Your subscription is on hold.").waitFor();
  await accessible(page);
  await system.call("PUT", path, { suspended: false }, { "if-match": "*" });
  await system.call("POST", `/_sim/agreements/${buyer.agreement_id}/cancel`);
  await system.advance({ advanceMinutes: 2 });
  await page.reload();
  await page.getByText("Your subscription is ending.").waitFor();
  await context.close();
});
