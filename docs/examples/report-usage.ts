// Reports usage, asks what is left, and reads the reports back, page by page.
//
// Needs URL, TOKEN and SUBSCRIPTION in the environment. The types are made from the document:
//
//   npx openapi-typescript openapi.json -o contract.d.ts

import type { components } from "./contract";

type Schemas = components["schemas"];
type UsageReport = Schemas["UsageReport"];

const { URL: url, TOKEN: token, SUBSCRIPTION: subscription } = process.env;
const base = `${url}/marketplace/subscriptions/${subscription}`;

/** The request was not carried out; program by `problem.code`. */
class Refused extends Error {
  constructor(readonly problem: Schemas["Problem"]) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
  }
}

/** One request; comes again as long as the API asks for it. */
async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(base + path, { method, headers, body: JSON.stringify(body) });
    if (answer.ok) return (await answer.json()) as T;
    if (attempt === 4 || ![429, 500, 502, 503, 504].includes(answer.status)) {
      throw new Refused((await answer.json()) as Schemas["Problem"]);
    }
    const seconds = Number(answer.headers.get("retry-after") ?? 2 ** attempt);
    await new Promise((resume) => setTimeout(resume, seconds * 1000));
  }
}

/** Sending the same again is safe: every event has its key. */
function report(events: UsageReport[]): Promise<Schemas["UsageResults"]> {
  return call("POST", "/meter", { events });
}

/** Every report of this month. */
async function* reports(): AsyncGenerator<Schemas["UsageEvent"]> {
  let cursor = "";
  for (;;) {
    const page: Schemas["UsageEventPage"] = await call("GET", `/usage/events?limit=2${cursor}`);
    yield* page.items;
    if (!page.nextCursor) return;
    cursor = `&cursor=${page.nextCursor}`;
  }
}

async function main(): Promise<void> {
  const event: UsageReport = {
    key: `typescript-${process.hrtime.bigint()}`,
    metric: "totalScans",
    quantity: "1.5", // a decimal is text: it never passes through a float
    at: new Date().toISOString(),
    tags: { CostCenter: "4711" },
  };
  console.log((await report([event])).results[0]?.status);
  console.log((await report([event])).results[0]?.status);
  try {
    await report([{ ...event, quantity: "2" }]);
    throw new Error("another event under the same key was taken");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(error.message);
  }
  const decision = await call<Schemas["Decision"]>("POST", "/entitlements/check", { metric: "totalScans" });
  console.log(decision.allowed ? "allowed" : decision.code);
  for await (const reported of reports()) {
    if (reported.key === event.key) console.log(`read back: ${reported.quantity} ${JSON.stringify(reported.tags)}`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
