// Loaded into Azurite before its own code: says on which free port it listens, and ends with the process that started it.
"use strict";
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...options) {
  this.once("listening", () => console.log(`listening ${this.address().port}`));
  return listen.apply(this, options);
};

// Standard input is a pipe held by the parent: it closes however the parent ends, SIGKILL included.
process.stdin.on("close", () => process.exit(0)).resume();
