// The page that decides, in a real browser (chromium, driven with playwright-core). Links are made here
// from the key in the data directory, by the words of `bindings/mail/link.rs` and no code of ours.
//
// POSTROOM_URL, POSTROOM_KEY, POSTROOM_DATA: the broker. POSTROOM_CHROMIUM: the browser.
// POSTROOM_SHOTS: where pictures go, if anywhere.
"use strict";
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const { POSTROOM_URL: url, POSTROOM_KEY: key, POSTROOM_DATA: data, POSTROOM_SHOTS: shots } = process.env;
const secret = Buffer.from(fs.readFileSync(path.join(data, "link.key"), "utf8").trim(), "base64");

function link(intent, person) {
  const id = Buffer.from(intent.replaceAll("-", ""), "hex");
  const seq = Buffer.from([0, 0, 0, 5]);
  const mac = crypto.createHmac("sha256", secret);
  mac.update("postroom link 1\0").update(id).update(seq).update(`local/default/${person}`);
  return `${url}/decide/${Buffer.concat([id, seq, mac.digest().subarray(0, 16)]).toString("base64url")}`;
}

async function api(method, route, body) {
  const headers = { "x-api-key": key, "content-type": "application/json" };
  const answer = await fetch(url + route, { method, headers, body: body && JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function ask(task, payload) {
  const body = { intent_type: "intent.refund.v1", from_agent: "shop", to_agent: "ops@example.test", payload,
    ttl_seconds: 86400, human_task: task };
  const made = await api("POST", "/v1/intents", body);
  return { id: made.intent_id, link: link(made.intent_id, "ops@example.test") };
}

const show = async (id) => (await api("GET", `/v1/intents/${id}`)).intent;

async function shot(page, name) {
  if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
}

/** No bar to scroll sideways, nothing that is cut off, nothing too small for a thumb. */
async function fits(page) {
  const found = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const small = [...document.querySelectorAll("button:not([hidden]), input:not([type=hidden]):not([type=radio]):not([type=checkbox]), select, textarea")]
      .filter((one) => one.getBoundingClientRect().height < 40).map((one) => one.outerHTML);
    return { wide, small };
  });
  assert.equal(found.wide, 0, "the page is wider than the screen");
  assert.deepEqual(found.small, []);
}

const REFUND = { title: "Refund order 4711 for Ada Lovelace", task_type: "form", required_comment: true,
  description: "The parcel arrived damaged; the customer sent pictures.\n\nOver 40 EUR a person has to look at it.",
  form_schema: { type: "object", required: ["amount_minor", "reason"], properties: {
    amount_minor: { type: "integer", minimum: 1, maximum: 5000, title: "Amount", description: "In cents, at most 5000" },
    reason: { type: "string", enum: ["damaged", "late", "other"], title: "Reason" },
    goodwill: { type: "boolean", title: "Goodwill" },
    parts: { type: "array", title: "Parts", items: { enum: ["lamp", "cable", "shade"] } },
    pay_on: { type: "string", format: "date", title: "Pay on" },
    warehouse: { enum: ["Aachen", "Bonn", "Celle", "Dresden", "Erfurt"], title: "Warehouse" },
    note: { type: "string", maxLength: 500, title: "Note to the customer" } } } };
const ORDER = { order_id: "4711", amount_minor: 4990, currency: "EUR", customer: { name: "Ada Lovelace", country: "GB", api_token: "never shown" },
  items: ["lamp", "cable"], tracking: "https://parcels.example/track/0123456789012345678901234567890123456789" };

const EVIL = "<script>window.harm=1</script><img src=x onerror='window.harm=2'>\"'\u202E\u0007</title></textarea><a href=//evil.example>";

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.POSTROOM_CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"] });
  const faults = [];
  async function open(options) {
    const page = await (await browser.newContext(options)).newPage();
    page.on("console", (said) => { if (said.type() === "error" && !/status of (4|5)\d\d/.test(said.text())) faults.push(said.text()); });
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("request", (request) => { if (!request.url().startsWith(url)) faults.push(`asked for ${request.url()}`); });
    return page;
  }
  const desk = { viewport: { width: 1100, height: 900 } };
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

  // Opened, filled in wrong, filled in right, opened again. Without scripts: it needs none.
  const page = await open({ ...desk, javaScriptEnabled: false });
  const refund = await ask(REFUND, ORDER);
  assert.equal((await page.goto(refund.link)).status(), 200);
  assert.equal(await page.title(), REFUND.title);
  await shot(page, "open");
  assert.ok(!(await page.content()).includes("never shown"));
  // Enter in a field must not decide.
  await page.getByLabel("Amount").fill("12");
  await page.getByLabel("Amount").press("Enter");
  assert.equal((await show(refund.id)).status, "WAITING");
  await page.getByLabel("Reason").getByText("late").or(page.getByText("late", { exact: true })).first().click();
  await page.getByLabel("Amount").fill("");
  await page.getByRole("button", { name: "Submit" }).click();
  assert.equal(await page.getByText("This decision needs a comment.").count(), 1);
  await shot(page, "missing");
  await page.getByLabel("Comment").fill("Looks right");
  await page.getByRole("button", { name: "Submit" }).click();
  assert.equal(await page.getByText("is required", { exact: true }).count(), 1);
  assert.equal(await page.getByLabel("Comment").inputValue(), "Looks right", "what was typed stays");
  assert.ok(await page.getByRole("radio", { name: "late" }).isChecked());
  await page.getByLabel("Amount").fill("4200");
  await page.getByRole("radio", { name: "Yes" }).check();
  await page.getByRole("checkbox", { name: "cable" }).check();
  await page.getByRole("checkbox", { name: "shade" }).check();
  await page.getByLabel("Pay on").fill("2026-12-01");
  await page.getByLabel("Warehouse").selectOption({ label: "Dresden" });
  await page.getByLabel("Note to the customer").fill("Sorry!\nIt is on its way.");
  await page.getByRole("button", { name: "Submit" }).click();
  assert.equal(await page.getByRole("heading", { name: "Decided: Submitted" }).count(), 1);
  await shot(page, "decided");
  const done = await show(refund.id);
  assert.equal(done.status, "COMPLETED");
  const { amount_minor, reason, goodwill, parts, pay_on, warehouse, note } = done.result;
  assert.deepEqual({ amount_minor, reason, goodwill, parts, pay_on, warehouse, note },
    { amount_minor: 4200, reason: "late", goodwill: true, parts: ["cable", "shade"], pay_on: "2026-12-01",
      warehouse: "Dresden", note: "Sorry!\nIt is on its way." });
  assert.equal(done.human_task.decision.by, "agent://local/default/ops@example.test");
  assert.equal((await page.goto(refund.link)).status(), 410);
  assert.equal(await page.getByText(/ops@example\.test decided “Submitted” on .* through this page/).count(), 1);
  assert.equal(await page.getByText(REFUND.title, { exact: true }).count(), 1, "it says what was decided");
  assert.equal(await page.getByRole("button").count(), 0);
  await shot(page, "again");

  // Hostile text: with scripts on, so that what would run could.
  const hostile = await open(desk);
  const evil = await ask({ title: EVIL, description: EVIL, task_type: "review",
    form_schema: { type: "object", properties: { x: { type: "string", title: EVIL, default: EVIL, description: EVIL },
      y: { enum: [EVIL, "b"], title: "Y" } } } }, { [EVIL]: EVIL, list: [EVIL] });
  assert.equal((await hostile.goto(evil.link)).status(), 200);
  await shot(hostile, "hostile");
  assert.equal(await hostile.evaluate(() => window.harm), undefined);
  assert.equal(await hostile.evaluate(() => document.querySelectorAll("script, img, a, iframe").length), 0);
  assert.ok((await hostile.locator("h1").innerText()).includes("⟨U+202E⟩"));
  await hostile.getByLabel("Comment").fill(EVIL);
  await hostile.getByRole("button", { name: "Request changes" }).click();
  assert.equal(await hostile.evaluate(() => window.harm), undefined);
  assert.equal((await hostile.goto(evil.link)).status(), 410);
  assert.equal(await hostile.evaluate(() => window.harm ?? document.querySelectorAll("script, img, a").length), 0);
  assert.equal((await show(evil.id)).human_task.decision.comment, EVIL);

  // A phone, light and dark.
  for (const colorScheme of ["light", "dark"]) {
    const small = await open({ ...phone, colorScheme });
    const open_again = await ask(REFUND, ORDER);
    await small.goto(open_again.link);
    await fits(small);
    await shot(small, `phone-${colorScheme}`);
    await small.getByRole("button", { name: "Submit" }).click();
    await fits(small);
    await shot(small, `phone-${colorScheme}-missing`);
    await small.getByLabel("Comment").fill("No: it was not ours.");
    await small.getByRole("button", { name: "Reject" }).click();
    assert.equal(await small.getByRole("heading", { name: "Decided: Rejected" }).count(), 1);
    await fits(small);
    await shot(small, `phone-${colorScheme}-decided`);
    assert.equal((await show(open_again.id)).status, "FAILED");
    const nowhere = await small.goto(`${url}/decide/nowhere`);
    assert.equal(nowhere.status(), 404);
    await fits(small);
    await shot(small, `phone-${colorScheme}-nowhere`);
  }
  const dark = await open({ ...desk, colorScheme: "dark" });
  await dark.goto((await ask(REFUND, ORDER)).link);
  await shot(dark, "dark");

  await browser.close();
  assert.deepEqual(faults, [], "the browser had something to say, or something was loaded");
  console.log("the page was opened, decided, opened again; hostile text was text; a phone shows all of it");
})().catch((error) => { console.error(error); process.exit(1); });
