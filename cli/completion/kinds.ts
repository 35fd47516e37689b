/** What a word of the command line may be, by what the commands themselves call it in their help. */
import type { Argument, Option } from "commander";

/** Names that the coordinator, or the settings, know. */
export const NAMES = [
  "node",
  "group",
  "rollout",
  "job",
  "channel",
  "release",
  "context",
  "token",
  "join-token",
  "webhook",
  "alert",
  "label",
] as const;
export type NameKind = (typeof NAMES)[number];

export type Kind =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "names"; readonly of: NameKind }
  | { readonly kind: "files" }
  | { readonly kind: "dirs" }
  | { readonly kind: "nothing" };

/** By the placeholder of an option or the name of an argument; what is not here is free text. */
const PLACEHOLDERS: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(NAMES.map((of) => [of, { kind: "names", of } as const])),
  "key=value": { kind: "names", of: "label" },
  file: { kind: "files" },
  bundle: { kind: "files" },
  request: { kind: "files" },
  kit: { kind: "files" },
  dir: { kind: "dirs" },
  tree: { kind: "dirs" },
};

export const kindOfArgument = (argument: Argument): Kind =>
  argument.argChoices === undefined
    ? (PLACEHOLDERS[argument.name()] ?? { kind: "nothing" })
    : { kind: "words", words: argument.argChoices };

export function kindOfOption(option: Option): Kind {
  if (option.argChoices !== undefined) return { kind: "words", words: option.argChoices };
  const placeholder = /[<[]([^>\].]+)/.exec(option.flags)?.[1];
  // `--context NAME` reads better in the help.
  if (option.long === "--context") return { kind: "names", of: "context" };
  return PLACEHOLDERS[placeholder ?? ""] ?? { kind: "nothing" };
}
