/** `baton context`: several coordinators, each by a name. */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { branch, plainLeaf, print } from "../commands/leaf.ts";
import { writeDurably } from "../keys/files.ts";
import { contextOf, targetOf } from "../settings.ts";
import { facts, table } from "../show/table.ts";
import type { World } from "../world.ts";
import { withContext, withCurrent, withoutContext } from "./edit.ts";
import { CONTEXT_NAME, contextsIn, type Place, readContexts, readText, settingsFileOf } from "./settings.ts";

export const contextCommand = (world: World): Command =>
  branch("context", "several coordinators, each by a name", [
    list(world),
    show(world),
    use(world),
    add(world),
    remove(world),
  ]);

const list = (world: World): Command =>
  plainLeaf("list", "the coordinators that the settings file knows").action(
    async (_: object, command: Command) => {
      const { contexts, current, plain } = await readContexts(world.env);
      const chosen = world.env.BATON_CONTEXT ?? current;
      const named = [...contexts].map(([name, place]) => ({
        name,
        ...told(place),
        current: name === chosen,
      }));
      const rows = named.map(({ name, url, current: used, token }) => [used ? "*" : " ", name, url, token]);
      const text =
        rows.length === 0
          ? `No contexts.${plain.url === undefined ? "" : ` The settings name one coordinator: ${plain.url}`} Make one with: baton context add NAME --url ADDRESS`
          : table([" ", "NAME", "ADDRESS", "TOKEN"], rows);
      print(world, command, named, text);
    },
  );

/** Without the secret. */
const told = (place: Place) => ({
  url: place.url ?? "-",
  token: place.tokenFile ?? (place.token === undefined ? "-" : "in the settings"),
});

const show = (world: World): Command =>
  plainLeaf("show", "the coordinator that commands speak to now, and why")
    .argument("[context]", "another one than that")
    .option("--url <address>", "as other commands are told")
    .action(async (name: string | undefined, { url }: { url?: string }, command: Command) => {
      const target = await targetOf(world.env, { url, context: name });
      const shown = {
        context: target.context,
        url: target.url,
        tokenFrom: target.tokenFrom,
        caFile: target.caFile,
        file: settingsFileOf(world.env),
        warnings: target.warnings,
      };
      const text = facts([
        ["context", shown.context ?? "none"],
        ["address", shown.url],
        ["token", shown.tokenFrom === null ? "none" : `from ${shown.tokenFrom}`],
        ["trusts", shown.caFile === null ? "the usual certificates" : `${shown.caFile} as well`],
        ["settings", shown.file],
        ...shown.warnings.map((warning) => ["warning", warning] as const),
      ]);
      print(world, command, shown, text);
    });

const use = (world: World): Command =>
  plainLeaf("use", "speak to this coordinator from now on")
    .argument("<context>", "its name")
    .action(async (name: string, _: object, command: Command) => {
      const { url = "-" } = contextOf(await readContexts(world.env), name);
      await edit(world, (text) => withCurrent(text, name));
      print(world, command, { context: name }, `Commands now speak to ${name}, ${url}.`);
    });

type AddOptions = {
  url: string;
  tokenFile?: string;
  tokenStdin?: true;
  caFile?: string;
  use?: true;
};

const add = (world: World): Command =>
  plainLeaf("add", "remember a coordinator; asks for its token when it is told no other way")
    .argument("<context>", "what you call it, such as prod", contextName)
    .requiredOption("--url <address>", "the coordinator, such as https://baton.example:8420")
    .option("--token-file <file>", "the file that holds the token")
    .option("--token-stdin", "read the token from standard input, and keep it beside the settings")
    .option("--ca-file <file>", "certificates to trust as well, PEM")
    .option("--use", "speak to it from now on")
    .action(async (name: string, options: AddOptions, command: Command) => {
      const before = await readContexts(world.env);
      const secret = options.tokenFile === undefined ? await readSecret(world, options) : null;
      const keptIn = secret === null ? null : tokenFileOf(world, name);
      const tokenFile = options.tokenFile === undefined ? keptIn : resolve(options.tokenFile);
      const place: Place = {
        url: options.url,
        ...(tokenFile === null ? {} : { tokenFile }),
        ...(options.caFile === undefined ? {} : { caFile: resolve(options.caFile) }),
      };
      const first = before.contexts.size === 0 && before.plain.url === undefined;
      const chosen = options.use === true || first;
      if (keptIn !== null && secret !== null) {
        await mkdir(dirname(keptIn), { recursive: true, mode: 0o700 });
        await writeDurably(keptIn, `${secret}\n`, 0o600);
      }
      await edit(world, (text) => {
        const added = withContext(text, name, place);
        return chosen ? withCurrent(added, name) : added;
      });
      const next = chosen ? "Commands now speak to it." : `Speak to it with: baton context use ${name}`;
      print(world, command, { context: name, ...told(place) }, `${name} is ${options.url}. ${next}`);
    });

async function readSecret(world: World, { tokenStdin }: AddOptions): Promise<string | null> {
  if (tokenStdin === true) return (await world.readInput()).trim();
  const asked = await world.ask?.({ message: "The token (empty: none is kept)", hidden: true });
  return asked == null || asked.trim() === "" ? null : asked.trim();
}

const remove = (world: World): Command =>
  plainLeaf("remove", "forget a coordinator, and the token that was kept for it")
    .argument("<context>", "its name")
    .action(async (name: string, _: object, command: Command) => {
      const { current, contexts, ...settings } = await readContexts(world.env);
      const { tokenFile } = contextOf({ current, contexts, ...settings }, name);
      await edit(world, (text) => {
        const without = withoutContext(text, name);
        return current === name ? withCurrent(without, null) : without;
      });
      if (tokenFile === tokenFileOf(world, name)) await rm(tokenFile, { force: true });
      const left =
        current === name && contexts.size > 1 ? " Choose another with: baton context use NAME" : "";
      print(world, command, { context: name }, `${name} is forgotten.${left}`);
    });

/** Where a token that was typed in is kept. */
const tokenFileOf = (world: World, name: string): string =>
  join(dirname(settingsFileOf(world.env)), `${name}.token`);

/** Writes the settings file for its owner alone, unless what came out is none. */
async function edit(world: World, change: (text: string) => string): Promise<void> {
  const file = settingsFileOf(world.env);
  const text = change(await readText(file, true));
  contextsIn(text, file);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeDurably(file, text, 0o600);
}

function contextName(text: string): string {
  if (!CONTEXT_NAME.test(text)) throw new InvalidArgumentError("Use small letters, digits and hyphens.");
  return text;
}
