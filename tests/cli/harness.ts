/** `baton` in this process: the real commands and the real network, with what it writes kept for the test. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import pc from "picocolors";
import { createClient } from "../../cli/api/client.ts";
import { keysCommand } from "../../cli/keys/command.ts";
import { createProgram, run } from "../../cli/program.ts";
import { publishCommand } from "../../cli/publish/command.ts";
import { targetOf } from "../../cli/settings.ts";
import type { Output } from "../../cli/show/output.ts";
import type { World } from "../../cli/world.ts";

export type Ran = { readonly status: number; readonly out: string; readonly err: string };

export type Baton = {
  (...argv: readonly string[]): Promise<Ran>;
  /** The result of a command as JSON; throws unless it exits with 0. */
  json<T>(...argv: readonly string[]): Promise<T>;
};

export type BatonOptions = {
  readonly env: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  /** What a person types when asked: what is expected, or something else. Nobody can be asked without it. */
  readonly answer?: "as asked" | (string & {});
  /** What is on standard input. */
  readonly input?: string;
  readonly rows?: number;
  readonly interrupted?: AbortSignal;
  /** Called with what was written to standard error, as it is written. */
  readonly onErr?: (text: string) => void;
};

export function baton(options: BatonOptions): Baton {
  const env = { HOME: join("/nonexistent"), ...options.env };
  const command = async (...argv: readonly string[]): Promise<Ran> => {
    const out: string[] = [];
    const err: string[] = [];
    const collect = (into: string[]): Output => ({
      write: (text) => {
        into.push(text);
        if (into === err) options.onErr?.(text);
      },
      isTerminal: options.isTerminal ?? false,
      columns: options.isTerminal === true ? 120 : null,
      rows: options.isTerminal === true ? (options.rows ?? 50) : null,
      onResize: () => () => undefined,
    });
    const world: World = {
      env,
      out: collect(out),
      err: collect(err),
      colors: pc.createColors(false),
      now: Date.now,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
      interrupted: options.interrupted ?? new AbortController().signal,
      ask:
        options.answer === undefined
          ? null
          : async ({ message, expected }) => {
              err.push(`? ${message}\n`);
              return options.answer === "as asked" ? (expected ?? "") : (options.answer ?? null);
            },
      readInput: async () => options.input ?? "",
      api: async ({ timeoutMs = 10_000, ...told }) => {
        const { url, token, warnings } = await targetOf(env, told);
        for (const warning of warnings) err.push(`warning: ${warning}\n`);
        return createClient({ url, token, fetch, timeoutMs });
      },
    };
    const local: Command[] = [
      keysCommand({ passphrase: { env, ask: null }, now: Date.now, print: (text) => out.push(`${text}\n`) }),
      publishCommand(world, null),
    ];
    const status = await run(createProgram(world, "1.0.0", local), world, argv);
    return { status, out: out.join(""), err: err.join("") };
  };
  return Object.assign(command, {
    json: async <T>(...argv: readonly string[]): Promise<T> => {
      const ran = await command(...argv, "--json");
      if (ran.status !== 0) throw new Error(`baton ${argv.join(" ")}: ${ran.status} ${ran.err}`);
      return JSON.parse(ran.out) as T;
    },
  });
}
