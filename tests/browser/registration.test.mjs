// The registration page in every outcome: each ends in a page that says what to do.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { PHONE, accessible, launch, person, picture } from "./support/browser.mjs";
import { startSystem } from "./support/system.mjs";

let system, browser, visitor;

before(async () => {
  [system, browser] = await Promise.all([startSystem(), launch()]);
});
after(() => Promise.all([browser?.close(), system?.stop()]));
beforeEach(async () => {
  visitor = await person(browser);
});
afterEach(async () => {
  assert.deepEqual(visitor.problems, [], "the browser has nothing to complain about");
  await visitor.context.close();
});

// From another site, as from the AWS console: no cookie of ours comes along.
async function land(page, fields, base = system.url) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
  await page.goto("about:blank");
  await page.setContent(`<form method="post" action="${base}/marketplace/register">${inputs.join("")}<button>Go</button></form>`);
  await page.getByRole("button").click();
  await page.waitForURL(/marketplace/);
}

async function buyAndLand(page, purchase) {
  const bought = await system.buy(purchase);
  const fields = await system.formOf(bought.agreement_id);
  await land(page, fields);
  return { bought, fields };
}

const heading = (page) => page.getByRole("heading", { level: 1 }).textContent();

test("a buyer completes the form, sees what comes next, and then that the account is ready", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  assert.equal(await heading(page), "Complete your registration");
  await accessible(page);
  await picture(page, "registration");
  await page.getByLabel("Company").fill("Acme & Sons");
  await page.getByLabel("Contact name").fill("Jo Doe");
  await page.getByLabel("E-mail address").fill("jo@example.com");
  await page.getByRole("button", { name: "Complete registration" }).click();
  await page.getByText("Thank you. Your details are saved.").waitFor();
  assert.equal(await heading(page), "Registration complete");
  await page.getByText("still activating your subscription").first().waitFor();
  await accessible(page);
  await picture(page, "confirmation");
  await system.advance({ advanceMinutes: 2 });
  await page.getByRole("link", { name: "look again" }).click();
  await page.getByText("Your account is ready.").waitFor();
  await page.getByText("Standard").first().waitFor();
});

test("the form works by keyboard alone", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  for (let press = 0; press < 12; press += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.id)) === "email") break;
  }
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid", "the focus can be seen");
  await page.keyboard.type("jo@example.com");
  await page.keyboard.press("Enter");
  await page.getByText("Your details are saved").waitFor();
});

test("without JavaScript, on a phone, everything works", async () => {
  const plain = await person(browser, { javaScriptEnabled: false, viewport: PHONE });
  await buyAndLand(plain.page);
  await plain.page.getByLabel("E-mail address").fill("jo@example.com");
  await plain.page.getByRole("button", { name: "Complete registration" }).click();
  await plain.page.getByText("Your details are saved").waitFor();
  await plain.context.close();
});

test("a wrong entry is told beside its field, and what was typed stays", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  await page.getByLabel("Company").fill("Acme");
  await page.getByLabel("E-mail address").fill("jo at acme");
  await page.getByRole("button", { name: "Complete registration" }).click();
  assert.equal(await heading(page), "Please check your entries");
  const field = page.getByLabel("E-mail address");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  const described = await field.getAttribute("aria-describedby");
  assert.match(await page.locator(`#${described}`).textContent(), /like name@example.com/);
  assert.equal(await page.getByLabel("Company").inputValue(), "Acme");
  await accessible(page);
  await picture(page, "registration-correction");
  await page.getByRole("link", { name: "E-mail address" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "email", "the link leads to the field");
  await field.fill("jo@example.com");
  await page.getByRole("button", { name: "Complete registration" }).click();
  await page.getByText("Your details are saved").waitFor();
});

test("two clicks on the button register once", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  await page.getByLabel("E-mail address").fill("jo@example.com");
  await page.getByRole("button", { name: "Complete registration" }).dblclick();
  await page.getByText("Your details are saved").waitFor();
});

test("reloading the confirmation sends nothing again, and the back button leads to a form that works", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  await page.getByLabel("E-mail address").fill("jo@example.com");
  await page.getByRole("button", { name: "Complete registration" }).click();
  await page.getByText("Your details are saved").waitFor();
  const posts = [];
  page.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  await page.reload();
  await page.getByText("Your details are saved").waitFor();
  assert.deepEqual(posts, []);
  await page.goBack();
  await page.getByText("Change the contact details").click();
  await page.getByLabel("E-mail address").fill("other@example.com");
  await page.getByRole("button").click();
  await page.getByText("Your details are saved").waitFor();
});

test("reloading the landing page shows where things stand", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  const posts = [];
  page.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
  await page.reload();
  assert.equal(await heading(page), "Complete your registration");
  assert.deepEqual(posts, []);
});

test("a buyer who comes again is told so and may change the details", async () => {
  const { page } = visitor;
  const { fields } = await buyAndLand(page);
  await page.getByLabel("E-mail address").fill("jo@example.com");
  await page.getByRole("button", { name: "Complete registration" }).click();
  await page.getByText("Your details are saved").waitFor();
  await land(page, fields);
  assert.equal(await heading(page), "Registration complete");
  await page.getByText("Change the contact details").click();
  await page.getByLabel("E-mail address").fill("other@example.com");
  await accessible(page);
});

test("two tabs with two purchases complete one each", async () => {
  const first = await buyAndLand(visitor.page, { account: "222233334444" });
  const other = await visitor.context.newPage();
  const second = await buyAndLand(other, { account: "333344445555" });
  for (const [page, { bought }] of [[visitor.page, first], [other, second]]) {
    await page.getByLabel("E-mail address").fill(`${bought.account}@example.com`);
    await page.getByRole("button", { name: "Complete registration" }).click();
    await page.getByText("Your details are saved").waitFor();
    await page.getByText(bought.account).waitFor();
  }
});

test("an expired token says so and how to get another", async () => {
  const { page } = visitor;
  const { agreement_id } = await system.buy();
  const fields = await system.formOf(agreement_id);
  await system.advance({ advanceHours: 5 });
  await land(page, fields);
  assert.equal(await heading(page), "This registration link has expired");
  await page.getByText("Set up your account").waitFor();
  await accessible(page);
  await picture(page, "registration-expired");
});

test("a token that is none says so", async () => {
  const { page } = visitor;
  await land(page, { "x-amzn-marketplace-token": "made-up" });
  assert.equal(await heading(page), "This registration link is not valid");
  await accessible(page);
});

test("a token of another product is refused with what to do", async () => {
  const { page } = visitor;
  await buyAndLand(page, { product_code: "zyxw9876vuts5432rqpo1098n", entitlements: {} });
  assert.equal(await heading(page), "This registration belongs to another product");
  await page.getByText("foreign_product").waitFor();
  await accessible(page);
});

test("when AWS throttles, the buyer is told to wait, and the reload succeeds", async () => {
  const { page } = visitor;
  const { agreement_id } = await system.buy();
  const fields = await system.formOf(agreement_id);
  await system.faults({ throttle: { next: 50, operations: ["ResolveCustomer"] } });
  await land(page, fields);
  assert.equal(await heading(page), "AWS Marketplace could not be reached");
  await page.getByText("then reload this page").waitFor();
  await accessible(page);
  await system.faults({ throttle: { next: 0 } });
  await land(page, fields);
  assert.equal(await heading(page), "Complete your registration");
});

test("when our credentials have expired, the buyer's link is not blamed", async () => {
  const { page } = visitor;
  const { agreement_id } = await system.buy();
  const fields = await system.formOf(agreement_id);
  await system.faults({ expired_credentials: { next: 50, operations: ["ResolveCustomer"] } });
  await land(page, fields);
  assert.equal(await heading(page), "AWS Marketplace could not be reached");
  await system.faults({ expired_credentials: { next: 0 } });
});

test("without a token there is a page that says where to start", async () => {
  const { page } = visitor;
  await page.goto(`${system.url}/marketplace/register`);
  assert.equal(await heading(page), "Start from AWS Marketplace");
  await accessible(page);
  await picture(page, "registration-without-token");
});

test("a session that is over says how to go on", async () => {
  const { page } = visitor;
  await buyAndLand(page);
  await system.advance({ advanceMinutes: 31 });
  await page.getByLabel("E-mail address").fill("jo@example.com");
  await page.getByRole("button", { name: "Complete registration" }).click();
  await page.getByRole("heading", { name: "Your registration session has ended" }).waitFor();
  await accessible(page);
});

test("a free trial is said so", async () => {
  const { page } = visitor;
  await buyAndLand(page, { free_trial: 14 });
  await page.getByText("This is a free trial.").waitFor();
});

test("the token is in no address, no cookie and no page", async () => {
  const { page } = visitor;
  const { fields } = await buyAndLand(page);
  const token = fields["x-amzn-marketplace-token"];
  assert.ok(token.length > 10);
  const cookies = JSON.stringify(await visitor.context.cookies());
  assert.ok(cookies.includes("marketplace_registration"), "there is a session");
  for (const place of [page.url(), cookies, await page.content()]) assert.ok(!place.includes(token), place);
});

test("a brand has its name, logo, colours, texts and fields", async () => {
  const branded = await startSystem("--brand", "../../config/brand.toml");
  try {
    const { page } = visitor;
    const bought = await branded.buy();
    const form = await branded.formOf(bought.agreement_id);
    await land(page, form, branded.url);
    await page.getByLabel("Phone number").fill("+1 555 0100");
    assert.equal(await page.locator(".brand img").evaluate((image) => image.naturalWidth > 0), true, "the logo is there");
    const colour = await page.getByRole("button").evaluate((it) => getComputedStyle(it).backgroundColor);
    assert.equal(colour, "rgb(11, 107, 92)");
    await accessible(page);
    await picture(page, "registration-branded");
    await page.getByLabel("E-mail address").fill("jo@example.com");
    await page.getByRole("button", { name: "Complete registration" }).click();
    await page.getByText("You get an e-mail with the link to your workspace.").waitFor();
  } finally {
    await branded.stop();
  }
});
