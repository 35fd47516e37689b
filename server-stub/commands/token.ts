import { Command, InvalidArgumentError, Option } from "commander";
import { JoinTokenCreated, OperatorToken, TokenCreated, TokenList } from "../../protocol/access.ts";
import { parseSpan } from "../../protocol/span.ts";
import { asLocal } from "../local.ts";
import { configOf, type Shared, type World } from "./world.ts";

/** `coordinator token`: works on this machine without a token, whether the coordinator runs or not. */
export function tokenCommand(world: World): Command {
  const token = new Command("token").description("create, list and revoke tokens");
  const local = async <T>(self: Command, work: Parameters<typeof asLocal<T>>[1]): Promise<T> =>
    asLocal(await configOf(world, self.optsWithGlobals<Shared>()), work);
  const show = (self: Command, value: unknown, text: string): void =>
    world.print(self.optsWithGlobals<Shared>().json === true ? JSON.stringify(value) : text);

  token
    .command("create")
    .description("a token for an operator; prints its secret, once")
    .argument("<name>", "whose it is")
    .addOption(new Option("--role <role>").choices(["viewer", "operator", "admin"]).makeOptionMandatory())
    .option("--ttl <time>", "how long it is valid, such as 30d (default: for ever)", spanOption)
    .option("--json", "print JSON")
    .action(async (name: string, { role, ttl }: { role: string; ttl?: number }, self: Command) => {
      const body = { name, role, ...(ttl === undefined ? {} : { ttlMs: ttl }) };
      const made = await local(self, (at) => at.call("POST", "/v1/tokens", TokenCreated, body));
      show(self, made, made.secret);
    });

  token
    .command("list")
    .description("the operators' tokens, without their secrets")
    .option("--json", "print JSON")
    .action(async (_: object, self: Command) => {
      const { tokens } = await local(self, (at) => at.call("GET", "/v1/tokens?limit=1000", TokenList));
      const lines = tokens.map(({ id, name, role, revoked }) =>
        [id, name.padEnd(24), role.padEnd(8), revoked ? "revoked" : "valid"].join("  "),
      );
      show(self, tokens, lines.length === 0 ? "No tokens." : lines.join("\n"));
    });

  token
    .command("revoke")
    .description("take a token back")
    .argument("<id>")
    .option("--json", "print JSON")
    .action(async (id: string, _: object, self: Command) => {
      const path = `/v1/tokens/${encodeURIComponent(id)}/revoke`;
      const revoked = await local(self, (at) => at.call("POST", path, OperatorToken));
      show(self, revoked, `Token ${revoked.id} of ${revoked.name} is revoked.`);
    });

  token
    .command("join-token")
    .description("a token by which nodes join a group; prints the line to run on them")
    .addOption(new Option("--group <name>").makeOptionMandatory())
    .option("--no-voter", "the nodes have no vote in the group's quorum")
    .option("--auto-approve", "let them in without asking")
    .option("--uses <n>", "how many nodes may use it (default: 1)", countOption)
    .option("--ttl <time>", "how long it is valid, such as 12h", spanOption)
    .option("--json", "print JSON")
    .action(async ({ group, voter, autoApprove, uses, ttl }: JoinOptions, self: Command) => {
      const body = {
        group,
        voter,
        ...(autoApprove === undefined ? {} : { autoApprove }),
        ...(uses === undefined ? {} : { uses }),
        ...(ttl === undefined ? {} : { ttlMs: ttl }),
      };
      const made = await local(self, (at) => at.call("POST", "/v1/join-tokens", JoinTokenCreated, body));
      show(self, made, made.command);
    });

  return token;
}

type JoinOptions = { group: string; voter: boolean; autoApprove?: true; uses?: number; ttl?: number };

const spanOption = (text: string): number => {
  const ms = parseSpan(text);
  if (ms === null) throw new InvalidArgumentError("Write it like 90s, 15m, 12h or 30d.");
  return ms;
};

const countOption = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number.");
  return Number(text);
};
