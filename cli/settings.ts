/**
 * Which coordinator the commands speak to, and who asks. A context is a coordinator with a name, in the settings
 * file; what stands outside of any context is the one without a name. In order: `--url`, `--context`, `BATON_URL`,
 * `BATON_CONTEXT`, the settings file's `context`, what stands outside of any. The token comes from the environment or
 * from a file; never from the command line, where anybody on the machine could read it. See ADR 0083.
 */
import { readFile } from "node:fs/promises";
import { FaultError } from "../protocol/result.ts";
import { othersMay } from "./context/modes.ts";
import { type ContextSettings, type Place, readContexts } from "./context/settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the coordinator is unless anything says otherwise: on this machine. */
const DEFAULT_URL = "http://127.0.0.1:8420";

export type Target = {
  readonly url: string;
  readonly token: string | null;
  readonly caFile: string | null;
  /** Null when it has no name. */
  readonly context: string | null;
  /** Where the token is from, as people are told; null without one. */
  readonly tokenFrom: string | null;
  /** What should be told to whoever asked. */
  readonly warnings: readonly string[];
};

export type TargetOptions = { readonly url?: string | undefined; readonly context?: string | undefined };

/**
 * Throws `FaultError`: `settings` for a wrong file, `no-context` for a context that is not in it, `no-token-file` for
 * a token that cannot be read.
 */
export async function targetOf(env: Env, { url, context }: TargetOptions): Promise<Target> {
  const settings = await readContexts(env);
  const name = context ?? env.BATON_CONTEXT ?? settings.current;
  const place = name === null ? settings.plain : contextOf(settings, name);
  const told = context !== undefined;
  const { token, from, warnings } = await tokenOf(env, place, told, settings.file);
  return {
    // A context that is named on the command line goes before what the environment says of another one.
    url: url ?? (told ? place.url : undefined) ?? env.BATON_URL ?? place.url ?? DEFAULT_URL,
    caFile: (told ? place.caFile : undefined) ?? env.BATON_CA_FILE ?? place.caFile ?? null,
    token,
    context: name,
    tokenFrom: from,
    warnings,
  };
}

export function contextOf({ contexts, file }: ContextSettings, name: string): Place {
  const place = contexts.get(name);
  if (place !== undefined) return place;
  const known = [...contexts.keys()];
  throw new FaultError({
    code: "no-context",
    message: `There is no context ${name} in ${file}.`,
    hint:
      known.length === 0
        ? `Make it with: baton context add ${name} --url ADDRESS`
        : `There is: ${known.join(", ")}.`,
  });
}

type Found = {
  readonly token: string | null;
  readonly from: string | null;
  readonly warnings: readonly string[];
};

async function tokenOf(env: Env, place: Place, told: boolean, file: string): Promise<Found> {
  const own = place.tokenFile !== undefined || place.token !== undefined;
  if (!(told && own)) {
    if (env.BATON_TOKEN !== undefined) return { token: env.BATON_TOKEN, from: "BATON_TOKEN", warnings: [] };
    if (env.BATON_TOKEN_FILE !== undefined) return readToken(env.BATON_TOKEN_FILE);
  }
  if (place.tokenFile !== undefined) return readToken(place.tokenFile);
  return place.token === undefined
    ? { token: null, from: null, warnings: [] }
    : { token: place.token, from: file, warnings: [] };
}

async function readToken(file: string): Promise<Found> {
  try {
    const token = (await readFile(file, "utf8")).trim();
    const open = await othersMay(file, "read");
    const warnings = open ? [`Others on this machine may read the token in ${file}: chmod 600 ${file}`] : [];
    return { token, from: file, warnings };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError(
      {
        code: "no-token-file",
        message: `The token in ${file} cannot be read: ${why}.`,
        hint: "Look at BATON_TOKEN_FILE, or at token_file in the settings.",
      },
      { cause },
    );
  }
}
