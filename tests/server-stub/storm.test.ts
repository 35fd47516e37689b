import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { startCoordinator } from "./harness/coordinator.ts";

/** More than Node lets wait unless it is told otherwise, which is 511. */
const AT_ONCE = 1_500;

/** Connects so many times at once, and prints how many were let in within five seconds. */
const CONNECT = `
const { connect } = require("node:net");
const [port, count] = process.argv.slice(1).map(Number);
let letIn = 0;
const end = () => { console.log(letIn); process.exit(0); };
for (let nth = 0; nth < count; nth += 1) {
  connect(port, "127.0.0.1", () => {
    letIn += 1;
    if (letIn === count) end();
  }).on("error", () => undefined);
}
setTimeout(end, 5_000);
`;

/** Found by the soak: two thousand agents that came back at once stayed away for most of a minute. */
test("a fleet that comes back all at once is let in, however busy the coordinator is at that moment", async () => {
  const coordinator = await startCoordinator();
  try {
    // This process is the coordinator, and takes in nobody while it waits here: all of them have to wait in the queue.
    const { stdout } = spawnSync(
      process.execPath,
      ["-e", CONNECT, new URL(coordinator.url).port, String(AT_ONCE)],
      { encoding: "utf8" },
    );
    expect(Number(stdout)).toBe(AT_ONCE);
  } finally {
    await coordinator.stop();
  }
}, 40_000);
