#!/usr/bin/env node
/** `baton`: the operator's and the publisher's command. Put together here alone; exits by setting the status. */
import { readFile } from "node:fs/promises";
import { setGlobalProxyFromEnv } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import pc from "picocolors";
import { PRODUCT_VERSION } from "../protocol/product.ts";
import { FaultError } from "../protocol/result.ts";
import { createClient } from "./api/client.ts";
import { bundleCommand, realBundleWorld } from "./bundle/command.ts";
import { terminalAsk } from "./confirm/terminal.ts";
import { keysCommand } from "./keys/command.ts";
import { mcpCommand } from "./mcp/command.ts";
import { createProgram, run } from "./program.ts";
import { exportCommand, publishCommand } from "./publish/command.ts";
import { targetOf } from "./settings.ts";
import { outputOf } from "./show/output.ts";
import type { World } from "./world.ts";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () =>
    interrupt.abort(
      new FaultError({ code: "interrupted", message: "Interrupted. What was begun may go on." }),
    ),
  );
}
// `baton events | head` ends when nobody reads any more.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  interrupt.abort(new FaultError({ code: "interrupted", message: "Nobody reads what is written." }));
});

const world: World = {
  env: process.env,
  out: outputOf(process.stdout),
  err: outputOf(process.stderr),
  colors: pc,
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  interrupted: interrupt.signal,
  ask: terminalAsk(process.stdin, process.stderr),
  readInput: () => text(process.stdin),
  api: async ({ timeoutMs, ...options }) => {
    const target = await targetOf(process.env, options);
    for (const warning of timeoutMs === undefined ? target.warnings : []) {
      process.stderr.write(`${pc.yellow("warning:")} ${warning}\n`);
    }
    if (target.caFile !== null) await trustAlso(target.caFile);
    useProxy();
    return createClient({
      url: target.url,
      token: target.token,
      fetch,
      signal: interrupt.signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  },
};

async function trustAlso(file: string): Promise<void> {
  const pem = await readFile(file, "utf8").catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError(
      { code: "settings", message: `The certificates in ${file} cannot be read: ${why}.` },
      { cause },
    );
  });
  setDefaultCACertificates([...getCACertificates(), pem]);
}

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as everywhere; never for this machine itself. */
function useProxy(): void {
  const none = [process.env.no_proxy ?? process.env.NO_PROXY, "localhost", "127.0.0.1", "[::1]"];
  try {
    setGlobalProxyFromEnv({ ...process.env, no_proxy: none.filter((each) => each).join(",") });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError(
      {
        code: "settings",
        message: `The proxy that the environment names cannot be used: ${why}.`,
        hint: "Look at HTTPS_PROXY and HTTP_PROXY.",
      },
      { cause },
    );
  }
}

const local = [
  keysCommand(),
  bundleCommand(realBundleWorld(import.meta.dirname)),
  publishCommand(world),
  exportCommand(world),
];
const serving = [mcpCommand(world, PRODUCT_VERSION, { input: process.stdin, output: process.stdout })];
const program = createProgram(world, PRODUCT_VERSION, local, serving);
process.exitCode = await run(program, world, process.argv.slice(2));
