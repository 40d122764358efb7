// A system of its own for a test file: in memory, on a free port, at a time that stands still.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export const START = "2026-11-10T08:00:00Z";

export async function startSystem(...options) {
  const binary = process.env.LOCAL ?? "../../target/debug/local";
  const process_ = spawn(binary, ["--in-memory", "--port", "0", ...(options.includes("--clock") ? [] : ["--clock", START]), ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LOG_LEVEL: "error" },
  });
  let trouble = "";
  process_.stderr.on("data", (data) => (trouble += data));
  const known = {};
  for await (const line of createInterface({ input: process_.stdout })) {
    known.url ??= line.match(/^Open: (.*)$/)?.[1];
    known.key ??= line.match(/^Development key .*: (.*)$/)?.[1];
    if (known.url && known.key) break;
  }
  if (!known.url) throw new Error(`the system did not start: ${trouble}`);
  process_.stdout.resume();
  return new System(known.url, known.key, process_);
}

class System {
  constructor(url, key, process_) {
    Object.assign(this, { url, key, process_ });
  }

  async stop() {
    this.process_.kill("SIGTERM");
    if (this.process_.exitCode === null) await once(this.process_, "exit");
  }

  async call(method, path, body, headers = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        "content-type": "application/json",
        accept: "application/json",
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  buy(purchase = {}) {
    return this.call("POST", "/_sim/purchases", { entitlements: { standard: "1" }, ...purchase });
  }

  formOf(agreement) {
    return this.call("POST", `/_sim/agreements/${agreement}/fulfilment-form`);
  }

  advance(by) {
    return this.call("POST", "/_local/clock", by);
  }

  faults(faults) {
    return this.call("POST", "/_sim/faults", faults);
  }

  // Buys, registers over the JSON twin, and lets AWS activate the license.
  async subscribe(purchase) {
    const bought = await this.buy(purchase);
    const form = new URLSearchParams(await this.formOf(bought.agreement_id));
    const landed = await fetch(`${this.url}/marketplace/register`, {
      method: "POST",
      body: form,
      headers: { accept: "application/json" },
    });
    const cookie = landed.headers.get("set-cookie").split(";")[0];
    await fetch(`${this.url}/marketplace/register/complete`, {
      method: "POST",
      body: new URLSearchParams({ company: "Acme", contact: "Jo Doe", email: "jo@example.com" }),
      headers: { accept: "application/json", cookie },
    });
    await this.advance({ advanceMinutes: 2 });
    const { items } = await this.call("GET", `/marketplace/subscriptions?customer=${bought.account}`);
    return { ...bought, subscription: items[0].id, tenant: items[0].tenant.id };
  }

  async report(subscription, events) {
    for (let from = 0; from < events.length; from += 100) {
      await this.call("POST", `/marketplace/subscriptions/${subscription}/meter`, {
        events: events.slice(from, from + 100),
      });
    }
  }

  // A link as the platform's backend asks for it.
  async link(role, wanted) {
    const { url } = await this.call("POST", "/marketplace/page-sessions", wanted, { "x-act-as": role });
    return this.url + url;
  }
}
