import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import { AuditEntry } from "../../protocol/audit.ts";
import { FaultError } from "../../protocol/result.ts";
import { parseSpan } from "../../protocol/span.ts";
import { query } from "../api/client.ts";
import { newest } from "../api/newest.ts";
import { table } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { apiOf, countOption, leaf, must, print } from "./leaf.ts";

type Options = {
  actor?: string;
  action?: string;
  subject?: string;
  since?: number;
  until?: number;
  limit: number;
  export?: string;
};

/** `baton audit`: every change that somebody made. */
export const auditCommand = (world: World): Command =>
  leaf("audit", "every change that somebody made, newest first")
    .option("--actor <who>", "only what this one did, such as `operator anna`")
    .option("--action <what>", "only this, or all that begins so: `rollout.`")
    .option("--subject <id>", "only on this")
    .option("--since <when>", "only from then on: 2h, 7d or 2026-11-21T09:00Z", (text) => whenOf(world, text))
    .option("--until <when>", "only before then", (text) => whenOf(world, text))
    .option("--limit <n>", "how many at most", countOption, 100)
    .option("--export <file>", "write all that fit into a file instead, as JSON lines, oldest first")
    .action(async (options: Options, command: Command) => {
      const { actor, action, subject, since, until, limit, export: file } = options;
      const api = await apiOf(world, command);
      const filter = { actor, action, subject, since: since?.toString(), until: until?.toString() };
      if (file !== undefined) {
        const lines = must(
          await api.stream(`/v1/audit/export${query(filter)}`, { accept: "application/x-ndjson" }),
        );
        return print(world, command, ...(await written(file, lines)));
      }
      const entries = must(await newest(api, ["v1", "audit"], "entries", AuditEntry, limit, filter));
      const rows = entries.map((entry) => [
        instant(entry.at),
        entry.actor,
        entry.action,
        entry.subject,
        entry.from,
      ]);
      const heading = ["AT", "WHO", "WHAT", "ON", "FROM"];
      print(world, command, entries, entries.length === 0 ? "Nothing yet." : table(heading, rows));
    });

/** Readable by its owner alone: who did what from where is not for everybody. */
async function written(file: string, lines: AsyncIterable<string>): Promise<[object, string]> {
  let entries = 0;
  async function* counted() {
    for await (const text of lines) {
      entries += text.split("\n").length - 1;
      yield text;
    }
  }
  try {
    await pipeline(Readable.from(counted()), createWriteStream(file, { mode: 0o600 }));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError(
      { code: "export", message: `${file} is not whole: ${why}.`, hint: "Export it again." },
      { cause },
    );
  }
  return [{ file, entries }, `Wrote ${entries} entries to ${file}.`];
}

function whenOf({ now }: World, text: string): number {
  const ago = parseSpan(text);
  const at = ago === null ? Date.parse(text) : now() - ago;
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write it like 2h, 7d or 2026-11-21T09:00Z.");
  return at;
}
