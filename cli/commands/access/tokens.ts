import { type Command, Option } from "commander";
import { OperatorToken, TokenCreated, WhoAmI } from "../../../protocol/access.ts";
import { path } from "../../api/client.ts";
import { everything } from "../../api/everything.ts";
import { sure } from "../../confirm/sure.ts";
import { table } from "../../show/table.ts";
import { instant } from "../../show/time.ts";
import type { World } from "../../world.ts";
import { apiOf, branch, leaf, must, print, spanOption, wantsJson, withYes } from "../leaf.ts";
import { createJoinToken } from "./join-tokens.ts";

/** `baton tokens`: who may operate. Secrets are shown once. */
export const tokensCommand = (world: World): Command =>
  branch("tokens", "who may operate the fleet", [
    list(world),
    create(world),
    revoke(world),
    createJoinToken(world, "join"),
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
      if (!wantsJson(command)) {
        world.err.write(`Token ${made.token.id} for ${name} (${role}). It is shown only now.\n`);
      }
    });

const revoke = (world: World): Command =>
  withYes(leaf("revoke", "take a token back"))
    .argument("<token>", "its id")
    .action(async (id: string, { yes }: { yes?: true }, command: Command) => {
      const api = await apiOf(world, command);
      const me = must(await api.call({ path: path("v1", "whoami"), answer: WhoAmI }));
      if (me.id === id) {
        await sure(world, yes, {
          what: `This is the token that this command speaks with: nothing more can be done with it afterwards.`,
          type: me.name,
          called: "the token's name",
        });
      }
      const revoked = must(
        await api.call({ method: "POST", path: path("v1", "tokens", id, "revoke"), answer: OperatorToken }),
      );
      print(world, command, revoked, `Token ${revoked.id} of ${revoked.name} is revoked.`);
    });
