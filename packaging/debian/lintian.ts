/** What Debian's own checker says of packages. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export type Verdict = { readonly errors: number; readonly summary: string };

/** Runs `lintian` over the packages. Where it is not installed, the summary says so and nothing is judged. */
export async function judge(files: readonly string[]): Promise<Verdict> {
  const child = spawn("lintian", ["--allow-root", "--tag-display-limit", "0", ...files], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const said = text(child.stdout);
  try {
    await ended;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    return { errors: 0, summary: "lintian is not installed; the packages were not judged." };
  }
  const lines = (await said).split("\n").filter((line) => line !== "");
  const errors = lines.filter((line) => line.startsWith("E:"));
  return {
    errors: errors.length,
    summary: [...lines, `lintian: ${errors.length} errors, ${lines.length - errors.length} warnings`].join(
      "\n",
    ),
  };
}
