import { type Command, Option } from "commander";
import { JoinToken, JoinTokenCreated } from "../../../protocol/access.ts";
import { path } from "../../api/client.ts";
import { everything } from "../../api/everything.ts";
import { table } from "../../show/table.ts";
import { instant } from "../../show/time.ts";
import type { World } from "../../world.ts";
import { apiOf, branch, countOption, leaf, must, print, spanOption } from "../leaf.ts";

/** `baton join-tokens`: which nodes may join. */
export const joinTokensCommand = (world: World): Command =>
  branch("join-tokens", "by what nodes join a group", [
    list(world),
    createJoinToken(world, "create"),
    revoke(world),
  ]);

const list = (world: World): Command =>
  leaf("list", "the tokens by which nodes may join, without their secrets")
    .option("--all", "those that are used up, expired or revoked too")
    .action(async ({ all }: { all?: true }, command: Command) => {
      const api = await apiOf(world, command);
      const tokens = must(await everything(api, ["v1", "join-tokens"], "joinTokens", JoinToken));
      const shown = all === true ? tokens : tokens.filter((token) => stateOf(token, world.now()) === "valid");
      const rows = shown.map((token) => [
        token.id,
        token.group,
        `${token.voter ? "voter" : "no vote"}${token.autoApprove ? ", let in at once" : ""}`,
        String(token.usesLeft),
        token.expiresAt === null ? "never" : instant(token.expiresAt),
        stateOf(token, world.now()),
        token.createdBy,
      ]);
      const heading = ["ID", "GROUP", "AS", "LEFT", "EXPIRES", "STATE", "BY"];
      print(world, command, shown, shown.length === 0 ? "No join tokens." : table(heading, rows));
    });

const stateOf = ({ revoked, usesLeft, expiresAt }: JoinToken, now: number): string => {
  if (revoked) return "revoked";
  if (usesLeft === 0) return "used up";
  return expiresAt !== null && expiresAt <= now ? "expired" : "valid";
};

type Options = { group: string; voter: boolean; autoApprove?: true; uses?: number; ttl?: number };

/** Also as `baton tokens join`, as it was called first. */
export const createJoinToken = (world: World, name: "create" | "join"): Command =>
  leaf(name, "a token by which nodes join a group; prints the line to run on them")
    .addOption(new Option("--group <group>", "the group").makeOptionMandatory())
    .option("--no-voter", "the nodes have no vote in the group's quorum")
    .option("--auto-approve", "let them in without asking")
    .option("--uses <n>", "how many nodes may use it (default: 1)", countOption)
    .option("--ttl <time>", "how long it is valid, such as 12h", spanOption)
    .action(async ({ group, voter, autoApprove, uses, ttl }: Options, command: Command) => {
      const api = await apiOf(world, command);
      const body = {
        group,
        voter,
        ...(autoApprove === undefined ? {} : { autoApprove }),
        ...(uses === undefined ? {} : { uses }),
        ...(ttl === undefined ? {} : { ttlMs: ttl }),
      };
      const made = must(
        await api.call({ method: "POST", path: path("v1", "join-tokens"), body, answer: JoinTokenCreated }),
      );
      print(world, command, made, made.command);
    });

const revoke = (world: World): Command =>
  leaf("revoke", "take a join token back; who has joined by it stays")
    .argument("<join-token>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "join-tokens", id, "revoke");
      const token = must(await api.call({ method: "POST", path: where, answer: JoinToken }));
      print(world, command, token, `Join token ${token.id} for ${token.group} is revoked.`);
    });
