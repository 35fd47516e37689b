import { Argument, Command } from "commander";
import type { World } from "../world.ts";
import { complete } from "./complete.ts";
import { namesOf } from "./names.ts";
import { SCRIPTS, type Shell } from "./scripts.ts";

/** `baton completion SHELL`: the script that a shell completes `baton` by. */
export const completionCommand = (world: World): Command =>
  new Command("completion")
    .description("print the script by which a shell completes baton's commands, options and names")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SCRIPTS)))
    .addHelpText("after", HOW)
    .action((shell: Shell) => world.out.write(SCRIPTS[shell]));

const HOW = `
bash   baton completion bash > ~/.local/share/bash-completion/completions/baton
zsh    baton completion zsh > "\${fpath[1]}/_baton"
fish   baton completion fish > ~/.config/fish/completions/baton.fish

or, for this session alone: source <(baton completion bash)
The Debian package brings them along.`;

/** What the scripts call: the words after `baton`, the last being the one at the cursor. */
export const hiddenCompleteCommand = (world: World, program: () => Command): Command =>
  new Command("__complete")
    .argument("[words...]")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const { candidates, kind, prefix, target } = complete(program(), words);
      const current = (words.at(-1) ?? "").slice(prefix.length);
      const more =
        kind.kind === "words"
          ? kind.words.map((value) => ({ value, description: "" }))
          : kind.kind === "names"
            ? await namesOf(world, kind.of, target).catch(() => [])
            : [];
      const fitting = [...candidates, ...more].filter(({ value }) => value.startsWith(current));
      const lines = fitting.map(({ value, description }) => `${prefix}${value}\t${oneLine(description)}`);
      const how = kind.kind === "files" || kind.kind === "dirs" ? kind.kind : "words";
      world.out.write(`:${how}\n${lines.map((line) => `${line}\n`).join("")}`);
    });

/** The shells read a candidate a line, its description after a tab. */
const oneLine = (text: string): string => text.replace(/\s+/g, " ");
