import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { play } from "./transcript.ts";

const DIR = join(import.meta.dirname, "../../testdata/update");

/** `REWRITE=1` writes down what happens now; read the difference before you keep it. */
describe("the update machine, in transcripts", () => {
  for (const name of readdirSync(DIR).filter((each) => each.endsWith(".txt"))) {
    it(name.replace(".txt", "").replaceAll("-", " "), () => {
      const path = join(DIR, name);
      const text = readFileSync(path, "utf8");
      const played = play(text);
      if (process.env.REWRITE === "1") writeFileSync(path, played);
      else expect(played).toBe(text);
    });
  }
});
