/** Where the passphrase of the publisher's keys comes from: a file, the environment or a hidden prompt; never argv. */
import { readFile } from "node:fs/promises";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";

export type PassphraseSource = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks a person, hiding what is typed; null where nobody can be asked. Resolves to null when given up. */
  readonly ask: ((question: string) => Promise<string | null>) | null;
};

/** Shortest passphrase that new keys are protected by. */
const MIN_LENGTH = 8;

/**
 * The passphrase. `purpose` "new" asks twice and refuses a short one. Errors: `no-passphrase`, `weak-passphrase`.
 */
export async function readPassphrase(
  source: PassphraseSource,
  purpose: "open" | "new",
): Promise<Result<string, Fault<"no-passphrase" | "weak-passphrase">>> {
  const given = await readGiven(source.env);
  if (!given.ok) return given;
  const passphrase = given.value ?? (await askFor(source.ask, purpose));
  if (passphrase === null || passphrase === "") {
    return err({
      code: "no-passphrase",
      message: "There is no passphrase for the keys, and nothing was done.",
      hint: "Set BATON_PASSPHRASE_FILE to a file that holds it, or BATON_PASSPHRASE, or run this on a terminal.",
    });
  }
  if (purpose === "new" && passphrase.length < MIN_LENGTH) {
    return err({
      code: "weak-passphrase",
      message: `The passphrase has fewer than ${MIN_LENGTH} characters, and no key was made.`,
      hint: "Choose a longer one.",
    });
  }
  return ok(passphrase);
}

/** A hidden prompt on the terminal, or null where there is none. */
export function terminalPrompt(isTerminal: boolean): PassphraseSource["ask"] {
  if (!isTerminal) return null;
  return async (question) => {
    const { isCancel, password } = await import("@clack/prompts");
    const answer = await password({ message: question, output: process.stderr });
    return isCancel(answer) ? null : answer;
  };
}

async function readGiven(
  env: PassphraseSource["env"],
): Promise<Result<string | null, Fault<"no-passphrase">>> {
  const file = env.BATON_PASSPHRASE_FILE;
  if (file === undefined || file === "") return ok(env.BATON_PASSPHRASE ?? null);
  try {
    return ok((await readFile(file, "utf8")).replace(/\r?\n$/, ""));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: "no-passphrase",
      message: `BATON_PASSPHRASE_FILE cannot be read: ${why}.`,
      hint: "Nothing was done. Correct the path, or unset the variable to be asked.",
      context: { file },
    });
  }
}

async function askFor(ask: PassphraseSource["ask"], purpose: "open" | "new"): Promise<string | null> {
  if (ask === null) return null;
  if (purpose === "open") return ask("Passphrase of the keys");
  let question = "Passphrase for the new keys";
  for (;;) {
    const first = await ask(question);
    if (first === null || first.length < MIN_LENGTH) return first;
    const again = await ask("The same passphrase again");
    if (again === null || again === first) return again;
    question = "The two differ. Passphrase for the new keys";
  }
}
