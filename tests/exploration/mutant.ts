/**
 * Loads a second copy of the whole program in which one thing is wrong: the real sources, with a few words of one file
 * replaced as it is read. What is to be replaced has to be there exactly once, so that a mutation which no longer
 * fits is an error and never a copy without a fault.
 */
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export type Edit = { readonly file: string; readonly from: string; readonly to: string };

const ROOT = join(import.meta.dirname, "../..");
const QUERY = "mutant";

/** The module at `path` (from the root of the repository) and all that it imports, under the edits. */
export async function loadMutant<T>(path: string, id: string, edits: readonly Edit[]): Promise<T> {
  const left = new Set(edits);
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const isOurs = found.url.startsWith("file:") && !found.url.includes("/node_modules/");
      const isWithin =
        context.parentURL !== undefined && new URL(context.parentURL).searchParams.get(QUERY) === id;
      return isOurs && isWithin ? { ...found, url: `${found.url}?${QUERY}=${id}` } : found;
    },
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (new URL(url).searchParams.get(QUERY) !== id) return loaded;
      const file = fileURLToPath(url.slice(0, url.indexOf("?"))).slice(ROOT.length + 1);
      const own = edits.filter((edit) => edit.file === file);
      if (own.length === 0) return loaded;
      for (const edit of own) left.delete(edit);
      return { ...loaded, source: own.reduce(edited, textOf(loaded.source)) };
    },
  });
  try {
    const mutant = (await import(`${pathToFileURL(join(ROOT, path)).href}?${QUERY}=${id}`)) as T;
    for (const { file } of left)
      throw new Error(`nothing imports ${dirname(file)}/, so ${file} cannot be mutated`);
    return mutant;
  } finally {
    hooks.deregister();
  }
}

const textOf = (source: unknown): string =>
  source instanceof Uint8Array ? Buffer.from(source).toString() : typeof source === "string" ? source : "";

function edited(source: string, { file, from, to }: Edit): string {
  const count = source.split(from).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times what is to be replaced, not once:\n${from}`);
  return source.replace(from, () => to);
}
