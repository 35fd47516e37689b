/** `node mutant.ts N`: plays the scenario of the nth mistake with the mistake made, and prints what failed, or nothing. */
import { plant } from "../simulation/mutate.ts";
import { MUTATIONS } from "./mutations.ts";

const mutation = MUTATIONS[Number(process.argv[2])];
if (mutation === undefined) throw new Error(`there is no mistake ${process.argv[2]}`);
plant(mutation);
// What is to be changed must not be imported before.
const { failureOf } = await import("./failure.ts");
const { SCENARIOS } = await import("./scenarios.ts");
const scenario = SCENARIOS.find(({ topic, name }) => `${topic}: ${name}` === mutation.scenario);
if (scenario === undefined) throw new Error(`there is no scenario ${mutation.scenario}`);
process.stdout.write((await failureOf(scenario)) ?? "");
