// A toy of a replicated service: it answers HTTP on DEMO_PORT, and one of the three leads. Who leads is remembered
// in DEMO_HOME, so that it survives a restart. A real one would have an election; an update only needs to see roles.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const roleFile = join(process.env.DEMO_HOME, "role");
mkdirSync(process.env.DEMO_HOME, { recursive: true });
let draining = false;

const role = () => {
  try {
    return readFileSync(roleFile, "utf8");
  } catch {
    return process.env.DEMO_FIRST_ROLE;
  }
};

createServer((request, response) => {
  const [, verb, value] = request.url.split("/");
  if (verb === "role") writeFileSync(roleFile, value);
  if (verb === "drain" || verb === "resume") draining = verb === "drain";
  response.writeHead(draining ? 503 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify({ healthy: !draining, caughtUp: true, role: role() }));
}).listen(Number(process.env.DEMO_PORT), "127.0.0.1");

process.on("SIGTERM", () => process.exit(0));
