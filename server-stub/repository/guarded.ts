import type { RepositoryFiles } from "./files.ts";

/**
 * The same files where several processes have them and one at a time changes them: each step is preceded by `check`,
 * which throws for who does not have the turn any more. Between the look and the step there is a moment; what is written
 * in it is whole, and what agents have seen they do not unsee.
 */
export const guardedFiles = (files: RepositoryFiles, check: () => Promise<void>): RepositoryFiles => ({
  ...files,
  write: async (path, text, mode) => {
    await check();
    await files.write(path, text, mode);
  },
  move: async (from, to) => {
    await check();
    await files.move(from, to);
  },
  remove: async (path) => {
    await check();
    await files.remove(path);
  },
});
