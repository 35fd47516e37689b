/** The settings file of `baton`: the coordinator without a name, and the contexts. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { FaultError } from "../../protocol/result.ts";
import { type Static, Type } from "../../protocol/schema.ts";
import { readSettings, settingsFault } from "../../protocol/settings.ts";
import { keyLines } from "../../protocol/toml-lines.ts";
import { othersMay } from "./modes.ts";

/** What is said of one coordinator. */
const place = {
  url: Type.Optional(
    Type.String({
      pattern: "^https?://",
      expects: "an address that begins with http:// or https://",
      examples: ["https://baton.example:8420"],
      description: "Address of the coordinator.",
    }),
  ),
  tokenFile: Type.Optional(
    Type.String({
      minLength: 1,
      examples: ["/home/me/.config/baton/token"],
      description: "File that holds the token.",
    }),
  ),
  token: Type.Optional(
    Type.String({
      minLength: 1,
      description: "The token itself. Refused while others than the owner may read this file.",
    }),
  ),
  caFile: Type.Optional(
    Type.String({
      minLength: 1,
      examples: ["/etc/ssl/baton-ca.pem"],
      description: "Certificates to trust as well, PEM.",
    }),
  ),
};
const PlaceSettings = Type.Object(place);
export type Place = Static<typeof PlaceSettings>;

const current = Type.Optional(
  Type.String({
    minLength: 1,
    examples: ["prod"],
    description: "The context that is used unless told otherwise.",
  }),
);

/** Without its contexts, each of which is a table `[contexts.NAME]` of the same settings. */
export const BatonSettings = Type.Object({ context: current, ...place });

export type ContextSettings = {
  readonly file: string;
  /** The context that is used unless told otherwise. */
  readonly current: string | null;
  /** What stands outside of any context. */
  readonly plain: Place;
  readonly contexts: ReadonlyMap<string, Place>;
};

type Env = Readonly<Record<string, string | undefined>>;

/** What contexts may be called: the name is a key of TOML as it stands, and the name of a file. */
export const CONTEXT_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const settingsFileOf = (env: Env): string =>
  env.BATON_CLI_CONFIG ??
  join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? "/", ".config"), "baton", "config.toml");

/** Throws `FaultError` `settings`. A file that is not there is one without settings, unless it was asked for by name. */
export async function readContexts(env: Env): Promise<ContextSettings> {
  const file = settingsFileOf(env);
  const text = await readText(file, env.BATON_CLI_CONFIG === undefined);
  const settings = contextsIn(text, file);
  if (hasToken(settings) && (await othersMay(file, "read"))) {
    throw new FaultError({
      code: "settings",
      message: `${file} holds a token, and others on this machine may read it.`,
      hint: `Nothing was done. Take their leave away (chmod 600 ${file}), and think of replacing the token.`,
    });
  }
  return settings;
}

const hasToken = ({ plain, contexts }: ContextSettings): boolean =>
  [plain, ...contexts.values()].some(({ token }) => token !== undefined);

/** Empty for a file that is not there and `mayBeMissing`. */
export async function readText(file: string, mayBeMissing: boolean): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT" && mayBeMissing) return "";
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError({ code: "settings", message: `${file} cannot be read: ${why}.` }, { cause });
  }
}

/** The settings in the text of a file. Throws `FaultError` `settings`. */
export function contextsIn(text: string, file: string): ContextSettings {
  const names = namesIn(text, file);
  const tables = Object.fromEntries(names.map((name) => [name, PlaceSettings]));
  const schema =
    names.length === 0
      ? BatonSettings
      : Type.Object({ ...BatonSettings.properties, contexts: Type.Object(tables) });
  const read = readSettings(schema, text, file);
  if (!read.ok) throw new FaultError(read.error);
  const {
    context,
    contexts = {},
    ...plain
  } = read.value.settings as Static<typeof BatonSettings> & {
    contexts?: Record<string, Place>;
  };
  const settings = { file, current: context ?? null, plain, contexts: new Map(Object.entries(contexts)) };
  if (context !== undefined && !settings.contexts.has(context)) {
    const message = `there is no [contexts.${context}] in this file.`;
    const line = keyLines(text).get("context") ?? null;
    throw new FaultError(settingsFault([{ file, line, key: "context", message }]));
  }
  return settings;
}

/** The names of the contexts, which the schema has to know. What is no TOML is told by who reads it with the schema. */
function namesIn(text: string, file: string): readonly string[] {
  let contexts: unknown;
  try {
    contexts = parseToml(text).contexts;
  } catch (error) {
    if (error instanceof TomlError) return [];
    throw error;
  }
  const names = typeof contexts === "object" && contexts !== null ? Object.keys(contexts) : [];
  const wrong = names.filter((name) => !CONTEXT_NAME.test(name));
  if (wrong.length === 0) return names;
  const lines = keyLines(text);
  throw new FaultError(
    settingsFault(
      wrong.map((name) => ({
        file,
        line: lines.get(`contexts.${name}`) ?? null,
        key: `contexts.${name}`,
        message: "a context is called by small letters, digits and hyphens.",
      })),
    ),
  );
}
