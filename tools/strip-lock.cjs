// Takes addresses (funding, licence texts, downloads) out of npm's lock: it pins versions and hashes, and names no host.
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");

const file = process.argv[2];
const lock = JSON.parse(readFileSync(file, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.license;
  delete entry.resolved;
}
writeFileSync(file, JSON.stringify(lock, null, 2) + "\n");
