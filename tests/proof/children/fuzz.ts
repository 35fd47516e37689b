/** `node fuzz.ts SEED TIMES`: tries every target, so many times what `npm test` tries. */
import { openApiDocument } from "../../../server-stub/api/document.ts";
import { httpTargets } from "../../fuzz/http/target.ts";
import { makeWorld } from "../../fuzz/http/world.ts";
import { type Target, tryOut } from "../../fuzz/target.ts";
import { parserTargets } from "../../fuzz/targets/all.ts";
import { toAgent, toCoordinator } from "../../fuzz/targets/sockets.ts";
import { startCoordinator } from "../../server-stub/harness/coordinator.ts";
import { joinNode } from "../../server-stub/harness/node.ts";
import { answer } from "../child.ts";

const campaign = { seed: Number(process.argv[2]), times: Number(process.argv[3]) };
const print = (line: string) => void process.stdout.write(`${line}\n`);
let [passed, failed, tried] = [0, 0, 0];

async function tryAll(targets: readonly Target[]): Promise<void> {
  for (const target of targets) {
    const failure = await tryOut(target, campaign);
    tried += Math.ceil(target.runs * campaign.times);
    if (failure === null) passed += 1;
    else {
      failed += 1;
      for (const line of failure.split("\n")) print(line);
    }
  }
}

await tryAll(parserTargets.flatMap(([, targets]) => targets));
const world = await makeWorld();
try {
  await tryAll(httpTargets(await openApiDocument("1.2.3"), () => world));
  const unforeseen = world.door.logged.filter((line) => line.includes("unforeseen"));
  for (const line of unforeseen) print(line.slice(0, 2_000));
  if (unforeseen.length > 0) failed += 1;
} finally {
  await world.close();
}
const coordinator = await startCoordinator();
try {
  const node = await joinNode(coordinator, { name: "ann" });
  await tryAll([toCoordinator(() => ({ coordinator, node })), toAgent]);
} finally {
  await coordinator.stop();
}
print(`${tried} tries of ${passed + failed} targets`);
answer({ passed, failed });
