// The operator's desk: find, look, act.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, launch, person, picture } from "./support/browser.mjs";
import { startSystem } from "./support/system.mjs";

let system, browser, buyer;

before(async () => {
  [system, browser] = await Promise.all([startSystem(), launch()]);
  buyer = await system.subscribe();
  await system.buy({ account: "222233334444", entitlements: { premium: "1" } });
  await system.advance({ advanceMinutes: 2 });
  const { now } = await system.call("GET", "/_local/clock");
  await system.report(buyer.subscription, [{ key: "scans", metric: "totalScans", quantity: "620", at: now }]);
  await system.advance({ advanceHours: 2 });
});
after(() => Promise.all([browser?.close(), system?.stop()]));

async function sitDown() {
  const operator = await person(browser);
  await operator.page.goto(await system.link("operator", { page: "desk" }));
  return operator;
}

test("subscriptions are found by account, by status and by their own id", async () => {
  const { page, context, problems } = await sitDown();
  await page.getByRole("heading", { level: 1, name: "Subscriptions" }).waitFor();
  await accessible(page);
  await page.getByLabel("Account, agreement or subscription").fill("222233334444");
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByLabel("Account, agreement or subscription").fill("");
  await page.getByLabel("Status").selectOption("ACTIVE");
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByLabel("Account, agreement or subscription").fill(buyer.agreement_id);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("heading", { name: "Subscription of 111122223333" }).waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("a subscription shows what happened, where every unit is, and what AWS answered", async () => {
  const { page, context, problems } = await sitDown();
  await page.getByRole("link", { name: buyer.subscription }).click();
  for (const text of ["Where every unit is", "The buyer completed the registration", "The platform confirmed the workspace", "jo@example.com"]) {
    await page.getByText(text).first().waitFor();
  }
  const scans = await page.getByRole("row", { name: /Compliance scans/ }).innerText();
  assert.match(scans.replaceAll(/\s+/g, " "), /620 500 120 120 0 0 0 \$120\.00/);
  await page.getByText("accepted").first().waitFor();
  await accessible(page);
  await picture(page, "desk-subscription");
  assert.deepEqual(problems, []);
  await context.close();
});

test("a hold is confirmed, done, seen by the buyer, audited, and lifted", async () => {
  const { page, context } = await sitDown();
  await page.getByRole("link", { name: buyer.subscription }).click();
  await page.getByRole("link", { name: "Withhold access…" }).click();
  await page.getByRole("heading", { name: "Withhold access?" }).waitFor();
  await accessible(page);
  await picture(page, "desk-confirm");
  await page.getByRole("button", { name: "Withhold access" }).click();
  await page.getByText("Access is withheld. The platform has been told.").waitFor();
  await page.getByText("Access was withheld").first().waitFor();
  await page.getByRole("button", { name: "See the buyer's account page" }).click();
  await page.getByText("Your subscription is on hold.").waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Give access back…" }).click();
  await page.getByRole("button", { name: "Give access back" }).click();
  await page.getByText("Access is given back.").waitFor();
  const { items } = await system.call("GET", `/marketplace/subscriptions/${buyer.subscription}/audit`);
  const acts = items.filter(({ action }) => action.startsWith("hold."));
  assert.deepEqual(acts.map(({ action, actor }) => [action, actor.kind]), [["hold.set", "caller"], ["hold.lifted", "caller"]]);
  await context.close();
});

test("settling now sends what is due at once", async () => {
  const { now } = await system.call("GET", "/_local/clock");
  await system.report(buyer.subscription, [{ key: "more", metric: "totalScans", quantity: "5", at: now }]);
  const { page, context } = await sitDown();
  await page.getByRole("link", { name: buyer.subscription }).click();
  await page.getByRole("link", { name: "Settle now…" }).click();
  await page.getByRole("button", { name: "Settle now" }).click();
  await page.getByText("The scheduler was asked to settle.").waitFor();
  await page.getByText("A settlement was asked for").waitFor();
  await system.advance({ advanceHours: 2 });
  await page.reload();
  await page.getByRole("heading", { name: "Please open this page again" }).waitFor();
  await context.close();
  const later = await sitDown();
  await later.page.getByRole("link", { name: buyer.subscription }).click();
  const scans = await later.page.getByRole("row", { name: /Compliance scans/ }).innerText();
  assert.match(scans.replaceAll(/\s+/g, " "), /625 500 125 125 0 0 0/);
  await later.context.close();
});

test("a parked record is shown with its worth, sent again after a confirmation, and billed once", async () => {
  const other = await system.subscribe({ account: "333344445555" });
  const { now } = await system.call("GET", "/_local/clock");
  await system.report(other.subscription, [{ key: "over", metric: "totalScans", quantity: "540", at: now }]);
  await system.faults({ unknown_dimension: { next: 1 } });
  await system.advance({ advanceHours: 2 });
  const { page, context, problems } = await sitDown();
  await page.getByText("$40.00").first().waitFor();
  await page.getByRole("link", { name: "look and act" }).click();
  await page.getByText("$40.00 are due and not billed").waitFor();
  await page.getByText("InvalidUsageDimensionException").waitFor();
  await accessible(page);
  await picture(page, "desk-parked");
  await page.getByRole("link", { name: "Send again…" }).click();
  await page.getByRole("heading", { name: "Send it again?" }).waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("The parked record goes to AWS once more.").waitFor();
  await page.getByText("A parked record was sent once more").waitFor();
  await system.advance({ advanceMinutes: 1 });
  await page.reload();
  const scans = await page.getByRole("row", { name: /Compliance scans/ }).innerText();
  assert.match(scans.replaceAll(/\s+/g, " "), /540 500 40 40 0 0 0 \$40\.00/);
  const { rows } = await system.call("GET", "/_local/reconciliation");
  const billed = rows.find(({ subscription, dimension }) => subscription === other.subscription && dimension === "scans");
  assert.deepEqual([billed.invoiced, billed.agrees], ["40", true]);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Parked" }).click();
  await page.getByText("Nothing is parked.").waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});

test("what AWS takes no more is closed with a reason, which the audit trail keeps", async () => {
  const other = await system.subscribe({ account: "555566667777" });
  const { now } = await system.call("GET", "/_local/clock");
  await system.report(other.subscription, [{ key: "over", metric: "totalScans", quantity: "501", at: now }]);
  await system.faults({ unknown_dimension: { next: 1 } });
  await system.advance({ advanceHours: 2 });
  const { page, context, problems } = await sitDown();
  await page.getByRole("link", { name: "look and act" }).click();
  await page.getByRole("link", { name: "Close…" }).click();
  await page.getByRole("heading", { name: "Close it?" }).waitFor();
  const asked = page.url();
  await accessible(page);
  await picture(page, "desk-close");
  await page.getByLabel("How it was settled").selectOption("Written off: nobody pays for it");
  await page.getByLabel("Why, for whoever reads").fill("   ");
  await page.getByRole("button", { name: "Close it" }).click();
  await page.getByText("Say why, in one line of plain text.").waitFor();
  await accessible(page);
  assert.equal(await page.getByLabel("How it was settled").inputValue(), "written-off", "the choice stays");
  await page.getByLabel("Why, for whoever reads").fill("agreed with the buyer, ticket 4711");
  await page.getByRole("button", { name: "Close it" }).click();
  await page.getByText("The item is closed.").waitFor();
  await page.getByText("Nothing is parked.").waitFor();
  await page.goto(asked);
  await page.getByText("It is not parked any more").waitFor();
  const { items } = await system.call("GET", `/marketplace/subscriptions/${other.subscription}/audit`);
  const closed = items.filter(({ action }) => action === "parked.closed");
  assert.deepEqual(closed.map(({ actor, changes }) => [actor.kind, changes.note.to]), [["caller", "agreed with the buyer, ticket 4711"]]);
  assert.deepEqual(problems, []);
  await context.close();
});

test("money that waits is told with its age, and the last conservation check with its result", async () => {
  const other = await system.subscribe({ account: "666677778888" });
  const { now } = await system.call("GET", "/_local/clock");
  await system.report(other.subscription, [{ key: "waits", metric: "totalScans", quantity: "530", at: now }]);
  await system.faults({ throttle: { next: 1000, operations: ["BatchMeterUsage"] } });
  await system.advance({ advanceHours: 6 });
  const first = await sitDown();
  await first.page.getByText("$30.00").waitFor();
  await first.page.getByText("on 1 meter, due and not known to be billed since").waitFor();
  await first.page.getByText("the books balance").waitFor();
  await accessible(first.page);
  await picture(first.page, "desk");
  await system.faults({ throttle: { next: 0 } });
  await system.advance({ advanceHours: 2 });
  await first.context.close();
  const later = await sitDown();
  await later.page.getByText("everything that was due has been billed or parked").waitFor();
  await later.context.close();
});

test("what is not there says so", async () => {
  const { page, context } = await sitDown();
  await page.goto(`${system.url}/marketplace/desk/subscriptions/sub_00000000000000000000000000000000`);
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  await page.goto(`${system.url}/marketplace/desk?q=999999999999`);
  await page.getByRole("heading", { name: "Nothing found" }).waitFor();
  await accessible(page);
  await context.close();
});
