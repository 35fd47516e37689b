import { type Command, Option } from "commander";
import { JoinTokenCreated, OperatorToken, TokenCreated } from "../../protocol/access.ts";
import { path } from "../api/client.ts";
import { everything } from "../api/everything.ts";
import { table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, branch, countOption, leaf, must, print, spanOption } from "./leaf.ts";

/** `baton tokens`: who may operate, and which nodes may join. Secrets are shown once. */
export const tokensCommand = (world: World): Command =>
  branch("tokens", "who may operate, and which nodes may join", [
    list(world),
    create(world),
    join(world),
    revoke(world),
  ]);

const list = (world: World): Command =>
  leaf("list", "the operators' tokens").action(async (_: object, command: Command) => {
    const tokens = must(
      await everything(await apiOf(world, command), ["v1", "tokens"], "tokens", OperatorToken),
    );
    const rows = tokens.map((token) => [
      token.id,
      token.name,
      token.role,
      token.revoked ? "revoked" : "valid",
      token.expiresAt === null ? "never" : instant(token.expiresAt),
      token.lastUsedAt === null ? "never" : instant(token.lastUsedAt),
    ]);
    const heading = ["ID", "NAME", "ROLE", "STATE", "EXPIRES", "USED"];
    print(world, command, tokens, tokens.length === 0 ? "No tokens." : table(heading, rows));
  });

const create = (world: World): Command =>
  leaf("create", "a token for an operator; prints its secret, once")
    .argument("<name>", "whose it is")
    .addOption(
      new Option("--role <role>", "viewer sees, operator updates, admin does everything")
        .choices(["viewer", "operator", "admin"])
        .makeOptionMandatory(),
    )
    .option("--ttl <time>", "how long it is valid, such as 30d (default: for ever)", spanOption)
    .action(async (name: string, { role, ttl }: { role: string; ttl?: number }, command: Command) => {
      const api = await apiOf(world, command);
      const body = { name, role, ...(ttl === undefined ? {} : { ttlMs: ttl }) };
      const made = must(
        await api.call({ method: "POST", path: path("v1", "tokens"), body, answer: TokenCreated }),
      );
      // The secret alone on standard output, so that it can go straight into a file.
      print(world, command, made, made.secret);
      if (command.opts().json !== true)
        world.err.write(`Token ${made.token.id} for ${name} (${role}). It is shown only now.\n`);
    });

type JoinOptions = { group: string; voter: boolean; autoApprove?: true; uses?: number; ttl?: number };

const join = (world: World): Command =>
  leaf("join", "a token by which nodes join a group; prints the line to run on them")
    .addOption(new Option("--group <name>", "the group").makeOptionMandatory())
    .option("--no-voter", "the nodes have no vote in the group's quorum")
    .option("--auto-approve", "let them in without asking")
    .option("--uses <n>", "how many nodes may use it (default: 1)", countOption)
    .option("--ttl <time>", "how long it is valid, such as 12h", spanOption)
    .action(async ({ group, voter, autoApprove, uses, ttl }: JoinOptions, command: Command) => {
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
  leaf("revoke", "take a token back")
    .argument("<token>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const token = must(
        await api.call({ method: "POST", path: path("v1", "tokens", id, "revoke"), answer: OperatorToken }),
      );
      print(world, command, token, `Token ${token.id} of ${token.name} is revoked.`);
    });
