import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { play } from "./transcript.ts";

const DIR = join(import.meta.dirname, "../../testdata/update");

/** `REWRITE=1` writes down what happens now; read the difference before you keep it. */
describe("the update machine, in transcripts", () => {
  it.each(readdirSync(DIR).filter((name) => name.endsWith(".txt")))("%s", (name) => {
    const path = join(DIR, name);
    const played = play(readFileSync(path, "utf8"));
    if (process.env.REWRITE === "1") writeFileSync(path, played);
    expect(played).toBe(readFileSync(path, "utf8"));
  });
});
