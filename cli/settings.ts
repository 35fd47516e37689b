/**
 * Which coordinator the commands speak to. In order: `--url`, `BATON_URL`, the settings file. The token comes from
 * `BATON_TOKEN`, the file that `BATON_TOKEN_FILE` or the settings name; never from the command line, where anybody
 * on the machine could read it.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultError } from "../protocol/result.ts";
import { type Static, Type } from "../protocol/schema.ts";
import { readSettings } from "../protocol/settings.ts";

export const BatonSettings = Type.Object({
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
  caFile: Type.Optional(
    Type.String({
      minLength: 1,
      examples: ["/etc/ssl/baton-ca.pem"],
      description: "Certificates to trust as well, PEM.",
    }),
  ),
});
export type BatonSettings = Static<typeof BatonSettings>;

type Env = Readonly<Record<string, string | undefined>>;

/** Where the coordinator is unless anything says otherwise: on this machine. */
const DEFAULT_URL = "http://127.0.0.1:8420";

export type Target = { readonly url: string; readonly token: string | null; readonly caFile: string | null };

/** Throws `FaultError`: `settings` for a wrong file, `no-token-file` for a token that cannot be read. */
export async function targetOf(env: Env, url: string | undefined): Promise<Target> {
  const settings = await readBatonSettings(env);
  const tokenFile = env.BATON_TOKEN_FILE ?? settings.tokenFile;
  return {
    url: url ?? env.BATON_URL ?? settings.url ?? DEFAULT_URL,
    token: env.BATON_TOKEN ?? (tokenFile === undefined ? null : await readToken(tokenFile)),
    caFile: env.BATON_CA_FILE ?? settings.caFile ?? null,
  };
}

async function readBatonSettings(env: Env): Promise<BatonSettings> {
  const home = env.XDG_CONFIG_HOME ?? join(env.HOME ?? "/", ".config");
  const file = env.BATON_CLI_CONFIG ?? join(home, "baton", "config.toml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT" && env.BATON_CLI_CONFIG === undefined) return {};
    throw new FaultError(
      { code: "settings", message: `${file} cannot be read: ${messageOf(cause)}.` },
      { cause },
    );
  }
  const read = readSettings(BatonSettings, text, file);
  if (!read.ok) throw new FaultError(read.error);
  return read.value.settings;
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new FaultError(
      {
        code: "no-token-file",
        message: `The token in ${file} cannot be read: ${messageOf(cause)}.`,
        hint: "Look at BATON_TOKEN_FILE, or at token_file in the settings.",
      },
      { cause },
    );
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
