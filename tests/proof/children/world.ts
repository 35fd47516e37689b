/** `node world.ts NAME`: searches one of the larger worlds to its end. */
import { LARGER_WORLDS } from "../../exploration/larger-worlds.ts";
import { search } from "../../exploration/search.ts";
import { answer } from "../child.ts";

/** No world has as many; a search that meets more has lost its bounds. */
const MAX_STATES = 3_000_000;

const name = process.argv[2] ?? "";
const print = (line: string) => void process.stdout.write(`${line}\n`);
const beginning = LARGER_WORLDS[name];
if (beginning === undefined) throw new Error(`there is no world called ${name}`);
const { violation, complete, states, steps, depth } = search(beginning, MAX_STATES);
print(`${name}: ${states} states, ${steps} steps, at most ${depth} from the beginning`);
if (violation !== null) {
  for (const line of violation.history) print(line);
  print(`${violation.invariant}: ${violation.message}`);
} else if (!complete) print("there are more states than can be searched");
const holds = violation === null && complete;
answer({ passed: holds ? 1 : 0, failed: holds ? 0 : 1 });
