/**
 * `baton keys`: thin commands over `init.ts` and `sign.ts`. An expected failure leaves as a `FaultError`, for the
 * program's one place that prints errors and chooses the exit code.
 */
import { Command, InvalidArgumentError } from "commander";
import { RootMetadata, rootFingerprint } from "../../protocol/metadata.ts";
import { parseJson } from "../../protocol/parse.ts";
import { type Fault, FaultError, type Result } from "../../protocol/result.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { readNamed } from "./files.ts";
import { initKeys } from "./init.ts";
import { keysDirOf, readKeyring, readRoot } from "./keyring.ts";
import { type PassphraseSource, readPassphrase, terminalPrompt } from "./passphrase.ts";
import { renewRoot, rotateKeys, type SignedTrust, type Signing, signRequest } from "./sign.ts";

/** What the commands need from outside. */
export type KeysWorld = {
  readonly passphrase: PassphraseSource;
  readonly now: () => EpochMs;
  /** Standard output. */
  readonly print: (text: string) => void;
};

export const realKeysWorld = (): KeysWorld => ({
  passphrase: { env: process.env, ask: terminalPrompt(process.stdin.isTTY && process.stderr.isTTY) },
  now: Date.now,
  print: (text) => void process.stdout.write(`${text}\n`),
});

export function keysCommand(world: KeysWorld = realKeysWorld()): Command {
  const keys = new Command("keys").description("the publisher's keys, which sign what nodes trust");
  const dirOf = (given: string | undefined) => keysDirOf(world.passphrase.env, given);
  const show = (command: Command, text: string, json: object) =>
    world.print(command.optsWithGlobals().json === true ? JSON.stringify(json) : text);

  keys
    .command("init")
    .description("make the root and targets keys, protected by a passphrase")
    .argument("[dir]", "directory to make (default: $BATON_KEYS or ./baton-keys)")
    .option("--root-keys <n>", "how many root keys to make", count, 1)
    .option("--root-threshold <n>", "how many of them must sign a root", count, 1)
    .option("--targets-keys <n>", "how many targets keys to make", count, 1)
    .option("--targets-threshold <n>", "how many of them must sign a release", count, 1)
    .option("--json", "print JSON")
    .action(async (given: string | undefined, options: InitOptions, command: Command) => {
      const dir = dirOf(given);
      const passphrase = must(await readPassphrase(world.passphrase, "new"));
      const made = must(
        await initKeys(dir, passphrase, {
          root: { keys: options.rootKeys, threshold: options.rootThreshold },
          targets: { keys: options.targetsKeys, threshold: options.targetsThreshold },
        }),
      );
      show(
        command,
        [
          `Made ${made.keys.length} keys in ${dir}. Keep a copy of them, and the passphrase, in a safe place.`,
          "Next: run `coordinator init`, carry its request here, and answer it with `baton keys sign REQUEST`.",
        ].join("\n"),
        { dir, keys: made.keys.map(({ role, keyid, file }) => ({ role, keyid, file })) },
      );
    });

  keys
    .command("sign")
    .description("answer a coordinator's key request with a signed root")
    .argument("<request>", "file that the coordinator wrote")
    .option("--keys <dir>", "key directory")
    .option("--json", "print JSON")
    .action(async (request: string, options: { keys?: string }, command: Command) => {
      const text = must(await readNamed(request));
      showTrust(command, must(await signRequest(await signing(options.keys), text)));
    });

  keys
    .command("rotate")
    .description("replace the keys of a role; agents follow by themselves")
    .argument("<role>", "root, targets, snapshot or timestamp")
    .option("--request <file>", "the coordinator's request, for snapshot and timestamp")
    .option("--keys <dir>", "key directory")
    .option("--json", "print JSON")
    .action(async (role: string, options: { keys?: string; request?: string }, command: Command) => {
      if (role === "root" || role === "targets") {
        return showTrust(command, must(await rotateKeys(await signing(options.keys), role)));
      }
      if (role !== "snapshot" && role !== "timestamp") {
        command.error(`error: there is no role ${role}; it is root, targets, snapshot or timestamp`, {
          exitCode: 2,
        });
      }
      if (options.request === undefined) {
        command.error(
          `error: the ${role} key is the coordinator's: have it write a request and name it with --request`,
          { exitCode: 2 },
        );
      }
      const text = must(await readNamed(options.request));
      showTrust(command, must(await signRequest(await signing(options.keys), text)));
    });

  keys
    .command("renew")
    .description("sign the root anew before it expires, with the same keys")
    .option("--keys <dir>", "key directory")
    .option("--json", "print JSON")
    .action(async (options: { keys?: string }, command: Command) => {
      showTrust(command, must(await renewRoot(await signing(options.keys))));
    });

  keys
    .command("show")
    .description("the keys that are held here, and the root's version, expiry and fingerprint")
    .option("--keys <dir>", "key directory")
    .option("--json", "print JSON")
    .action(async (options: { keys?: string }, command: Command) => {
      const dir = dirOf(options.keys);
      const keyring = must(await readKeyring(dir));
      const root = must(await readRoot(dir));
      const rows = keyring.keys.map(({ role, keyid, file }) => ({
        role,
        keyid,
        file,
        current: root === null || root.signed.roles[role].keyids.includes(keyid),
      }));
      const rootSummary = root && {
        version: root.signed.version,
        expires: root.signed.expires,
        fingerprint: rootFingerprint(root),
      };
      const lines = rows.map(
        (row) =>
          `${row.role.padEnd(8)} ${row.keyid.slice(0, 16)} ${row.file}${row.current ? "" : "  (replaced)"}`,
      );
      lines.push(
        rootSummary === null
          ? "root: none signed yet"
          : `root: version ${rootSummary.version}, expires ${rootSummary.expires}, fingerprint ${rootSummary.fingerprint}`,
      );
      show(command, lines.join("\n"), { dir, keys: rows, root: rootSummary });
    });

  keys
    .command("fingerprint")
    .description("the fingerprint of a root file, as a node is told it when it joins")
    .argument("<root>", "root metadata")
    .option("--json", "print JSON")
    .action(async (file: string, _options: object, command: Command) => {
      const root = must(parseJson(RootMetadata, must(await readNamed(file)), file));
      const fingerprint = rootFingerprint(root);
      show(command, fingerprint, { version: root.signed.version, fingerprint });
    });

  const signing = async (given: string | undefined): Promise<Signing> => ({
    dir: dirOf(given),
    passphrase: must(await readPassphrase(world.passphrase, "open")),
    now: world.now(),
  });

  const showTrust = (command: Command, { update, fingerprint, file }: SignedTrust) => {
    const { version, expires } = update.root.signed;
    show(
      command,
      [
        `Signed root version ${version}, good until ${expires}.`,
        `Fingerprint: ${fingerprint}`,
        version === 1
          ? `Next: carry ${file} to the coordinator, and there: coordinator trust ${file}`
          : `Next: carry ${file} to the coordinator, and there: coordinator trust ${file}; agents follow by themselves.`,
      ].join("\n"),
      { version, expires, fingerprint, file },
    );
  };

  return keys;
}

type InitOptions = {
  rootKeys: number;
  rootThreshold: number;
  targetsKeys: number;
  targetsThreshold: number;
};

/** The value, or the fault as an exception for the program to print. */
export function must<T>(result: Result<T, Fault>): T {
  if (result.ok) return result.value;
  throw new FaultError(result.error);
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("a whole number from 1 on");
}
