// What every page weighs, and how soon its first byte comes. The bytes are held to a budget; the times are told only:
// they depend on the machine.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { startSystem } from "./support/system.mjs";

const SAMPLES = 31;
// The page, and everything it needs besides on a first visit.
const MOST_KILOBYTES = 64;

let system, buyer;

before(async () => {
  system = await startSystem();
  buyer = await system.subscribe();
  await system.buy({ account: "222233334444", entitlements: { premium: "1" } });
  for (let day = 0; day < 10; day += 1) {
    const { now } = await system.call("GET", "/_local/clock");
    const event = (metric, quantity) => ({ key: `${metric}-${day}`, metric, quantity, at: now });
    await system.report(buyer.subscription, [event("totalScans", "62"), event("totalUsers", String(19 + day)), event("apiCalls", "1200.5")]);
    await system.advance(day < 9 ? { advanceDays: 1 } : { advanceHours: 2 });
  }
});
after(() => system?.stop());

// The bytes of an answer, its time to the first byte, and its head.
function get(path, cookie = "", method = "GET", body = "") {
  return new Promise((resolve, reject) => {
    const headers = { cookie, ...(body && { "content-type": "application/x-www-form-urlencoded" }) };
    const begun = performance.now();
    const asked = request(new URL(path, system.url), { method, headers, agent: false }, (answer) => {
      let first, text = "";
      answer.on("data", (data) => {
        first ??= performance.now() - begun;
        text += data;
      });
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text, first }));
    });
    asked.on("error", reject).end(body);
  });
}

async function entered(role, wanted) {
  const { status, headers } = await get(await system.link(role, wanted));
  assert.equal(status, 303);
  return { path: headers.location, cookie: headers["set-cookie"][0].split(";")[0] };
}

async function landed() {
  const bought = await system.buy({ account: "333344445555" });
  const form = new URLSearchParams(await system.formOf(bought.agreement_id)).toString();
  const { headers } = await get("/marketplace/register", "", "POST", form);
  return { path: headers.location, cookie: headers["set-cookie"][0].split(";")[0] };
}

// What the page links to and the browser loads: stylesheet, script, logo.
function parts(html) {
  const found = [...html.matchAll(/<(?:link|script|img)[^>]+(?:href|src)="(\/[^"]+)"/g)];
  return [...new Set(found.map(([, path]) => path))];
}

async function measured(name, path, cookie) {
  const page = await get(path, cookie);
  assert.equal(page.status, 200, `${name}: ${page.status}`);
  const others = await Promise.all(parts(page.text).map((part) => get(part)));
  for (const other of others) assert.equal(other.status, 200);
  const bytes = (text) => Buffer.byteLength(text);
  const times = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) times.push((await get(path, cookie)).first);
  times.sort((one, other) => one - other);
  const all = others.reduce((sum, { text }) => sum + bytes(text), bytes(page.text));
  return { name, page: bytes(page.text), all, requests: others.length + 1, median: times[(SAMPLES - 1) / 2], slowest: times.at(-1) };
}

test("every page is small, whatever is on it", async () => {
  const registration = await landed();
  const account = await entered(`tenant:${buyer.tenant}`, { page: "account", subscriptionId: buyer.subscription });
  const desk = await entered("operator", { page: "desk" });
  const pages = [
    ["registration", registration.path, registration.cookie],
    ["registration, no token", "/marketplace/register", ""],
    ["account", account.path, account.cookie],
    ["desk", desk.path, desk.cookie],
    ["desk, parked", `${desk.path}/parked`, desk.cookie],
    ["desk, one subscription", `${desk.path}/subscriptions/${buyer.subscription}`, desk.cookie],
    ["desk, confirm", `${desk.path}/subscriptions/${buyer.subscription}/hold`, desk.cookie],
    ["box, start", "/", ""],
    ...["tour", "store", "usage", "faults", "money", "messages", "wire"].map((page) => [`box, ${page}`, `/box/${page}`, ""]),
  ];
  const rows = [];
  for (const [name, path, cookie] of pages) rows.push(await measured(name, path, cookie));
  const kilobytes = (bytes) => (bytes / 1024).toFixed(1).padStart(7);
  console.log(`# ${"page".padEnd(24)}  page kB  with all  requests  first byte: median ms, slowest of ${SAMPLES}`);
  for (const { name, page, all, requests, median, slowest } of rows) {
    console.log(`# ${name.padEnd(24)}  ${kilobytes(page)}  ${kilobytes(all).padStart(8)}  ${String(requests).padStart(8)}  ${median.toFixed(1).padStart(6)} ${slowest.toFixed(1).padStart(6)}`);
  }
  const heavy = rows.filter(({ name, all }) => name !== "box, wire" && all > MOST_KILOBYTES * 1024);
  assert.deepEqual(heavy.map(({ name }) => name), [], `more than ${MOST_KILOBYTES} kB`);
});
