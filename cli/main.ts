#!/usr/bin/env node
/** `baton`: the operator's and the publisher's command. Put together here alone; exits by setting the status. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import pc from "picocolors";
import { PRODUCT_VERSION } from "../protocol/product.ts";
import { FaultError } from "../protocol/result.ts";
import { createClient } from "./api/client.ts";
import { bundleCommand, realBundleWorld } from "./bundle/command.ts";
import { keysCommand } from "./keys/command.ts";
import { createProgram, run } from "./program.ts";
import { exportCommand, publishCommand } from "./publish/command.ts";
import { targetOf } from "./settings.ts";
import { outputOf } from "./show/output.ts";

import type { World } from "./world.ts";

const interrupt = new AbortController();
process.once("SIGINT", () =>
  interrupt.abort(new FaultError({ code: "interrupted", message: "Interrupted. What was begun may go on." })),
);

const world: World = {
  env: process.env,
  out: outputOf(process.stdout),
  err: outputOf(process.stderr),
  colors: pc,
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
  interrupted: interrupt.signal,
  confirm: process.stdin.isTTY && process.stderr.isTTY ? confirm : null,
  api: async ({ url }) => {
    const target = await targetOf(process.env, url);
    if (target.caFile !== null) await trustAlso(target.caFile);
    return createClient({ url: target.url, token: target.token, fetch, signal: interrupt.signal });
  },
};

async function confirm(question: string): Promise<boolean> {
  const prompts = await import("@clack/prompts");
  const answer = await prompts.confirm({ message: question, initialValue: false, output: process.stderr });
  return answer === true;
}

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

const local = [
  keysCommand(),
  bundleCommand(realBundleWorld(import.meta.dirname)),
  publishCommand(world),
  exportCommand(world),
];
process.exitCode = await run(createProgram(world, PRODUCT_VERSION, local), world, process.argv.slice(2));
