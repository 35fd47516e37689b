#!/usr/bin/env node
/** `coordinator`: put together here alone. What it makes on disk is its owner's only. */
import { run } from "./cli.ts";
import { actAsOwnerOf, becomeOwnerOf } from "./commands/owner.ts";

process.umask(0o077);
process.exitCode = await run(
  {
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    becomeOwnerOf,
    home: import.meta.dirname,
    actAsOwnerOf,
  },
  process.argv.slice(2),
);
