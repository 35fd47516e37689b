/** Loads a source of the product with one fault planted in it: only for this thread, and only what is imported later. */
import { registerHooks } from "node:module";

export type Mutation = {
  readonly name: string;
  /** From the project's root. */
  readonly file: string;
  /** What stands there, exactly once, and what is to stand there instead. */
  readonly from: string;
  readonly to: string;
  /** A seed that finds it; where there is one, it is hunted with every `npm test`. */
  readonly quick?: number;
};

export function plant({ name, file, from, to }: Mutation): void {
  const isMeant = (url: string) => url.endsWith(`/${file}`);
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (!isMeant(url)) return loaded;
      const text = Buffer.from((loaded.source ?? "") as Uint8Array).toString("utf8");
      if (text.split(from).length !== 2)
        throw new Error(`${name}: ${file} does not hold ${from} exactly once.`);
      return { ...loaded, source: text.replace(from, () => to) };
    },
  });
}
