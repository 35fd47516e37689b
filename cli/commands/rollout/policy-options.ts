/** The options that say how a rollout goes forward and when it stops. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { RolloutPolicyChoice } from "../../../protocol/rollout.ts";
import { parseSpan } from "../../../protocol/span.ts";
import { countOption } from "../leaf.ts";

export type PolicyOptions = {
  stages?: number[];
  concurrency?: number;
  threshold?: number;
  pause?: number | "manual";
  offline?: "halt" | "skip";
  onFailure?: "halt" | "rollback";
  seed?: number;
};

const GROUP = "How it goes forward, and when it stops:";

export function withPolicy(command: Command): Command {
  const options = [
    new Option(
      "--stages <list>",
      "shares of the nodes in percent, each with those before: 10,50,100",
    ).argParser(stagesOption),
    new Option("--concurrency <n>", "how many groups are at work at once").argParser(countOption),
    new Option(
      "--threshold <percent>",
      "stop above this share of failures in a stage; 0: at the first",
    ).argParser(percentOption),
    new Option("--pause <time>", "between two stages: 10s, 1h, or manual (until resumed)").argParser(
      pauseOption,
    ),
    new Option("--offline <what>", "for nodes that stay offline when their turn comes").choices([
      "halt",
      "skip",
    ]),
    new Option("--on-failure <what>", "halt leaves what is updated; rollback brings it all back").choices([
      "halt",
      "rollback",
    ]),
    new Option("--seed <n>", "of the order of the groups; the same seed gives the same order").argParser(
      countOption,
    ),
  ];
  for (const option of options) command.addOption(option.helpGroup(GROUP));
  return command;
}

/** Only what was said; the coordinator's policy decides the rest. */
export function policyOf(options: PolicyOptions): RolloutPolicyChoice {
  const { stages, concurrency, threshold, pause, offline, onFailure, seed } = options;
  return {
    ...(stages === undefined ? {} : { stages }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(pause === undefined ? {} : { pauseMs: pause === "manual" ? null : pause }),
    ...(offline === undefined ? {} : { offline }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function stagesOption(text: string): number[] {
  const shares = text.split(",").map((part) => percentOf(part.trim()));
  if (shares.some((share) => share === null || share === 0)) {
    throw new InvalidArgumentError("Write percentages, such as 10,50,100.");
  }
  return shares.filter((share) => share !== null);
}

function percentOption(text: string): number {
  const share = percentOf(text);
  if (share === null) throw new InvalidArgumentError("Write a percentage from 0 to 100, such as 30.");
  return share;
}

/** "30" and "30%" are 0.3. */
function percentOf(text: string): number | null {
  const match = /^(\d{1,3}(?:\.\d{1,4})?)\s?%?$/.exec(text);
  const percent = Number(match?.[1]);
  return match === null || percent > 100 ? null : percent / 100;
}

function pauseOption(text: string): number | "manual" {
  if (text === "manual") return text;
  const ms = text === "0" ? 0 : parseSpan(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 10s, 1h or manual.");
  return ms;
}
