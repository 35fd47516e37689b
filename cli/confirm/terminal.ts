import type { Question, World } from "../world.ts";

/** Asks on the terminal; null where there is none. */
export function terminalAsk(input: NodeJS.ReadStream, output: NodeJS.WriteStream): World["ask"] {
  if (!input.isTTY || !output.isTTY) return null;
  return async ({ message, expected, hidden }: Question) => {
    const { isCancel, password, text } = await import("@clack/prompts");
    const answer =
      hidden === true
        ? await password({ message, output })
        : await text({
            message,
            output,
            validate: (typed) =>
              expected === undefined || (typed ?? "").trim() === expected
                ? undefined
                : `That is not ${expected}. Ctrl-C leaves everything as it is.`,
          });
    return isCancel(answer) ? null : (answer ?? "").trim();
  };
}
