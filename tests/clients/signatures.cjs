// Verifies what a broker signed with the published packages, and ed25519 with node's own crypto.
"use strict";
const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");

const told = JSON.parse(fs.readFileSync(0, "utf8"));
let checks = 0;
const check = (run) => { run(); checks += 1; };

for (const name of ["standardwebhooks", "svix"]) {
  const { Webhook } = require(name);
  const headers = Object.fromEntries(
    Object.entries(told.headers).map(([key, value]) => [
      name === "svix" ? key.replace("webhook-", "svix-") : key, value]));
  for (const secret of told.secrets) {
    const verifier = new Webhook(secret);
    check(() => assert.deepEqual(verifier.verify(told.body, headers), JSON.parse(told.body)));
    check(() => assert.throws(() => verifier.verify(told.body + " ", headers)));
  }
  check(() => assert.throws(() => new Webhook(told.stranger).verify(told.body, headers)));
}

const raw = Buffer.from(told.public_key.replace("whpk_", ""), "base64");
const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
const key = crypto.createPublicKey({ key: der, format: "der", type: "spki" });
const signature = told.headers["webhook-signature"].split(" ").find((one) => one.startsWith("v1a,"));
const message = `${told.headers["webhook-id"]}.${told.headers["webhook-timestamp"]}.${told.body}`;
check(() => assert(crypto.verify(null, Buffer.from(message), key, Buffer.from(signature.slice(4), "base64"))));
console.log(`${checks} checks`);
