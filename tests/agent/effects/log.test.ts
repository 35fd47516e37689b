import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const LOG = join(import.meta.dirname, "../../../agent/effects/log.ts");

/** What a program that logs this writes. */
function logged(level: string, fields: string) {
  const program = `import { createLog } from ${JSON.stringify(LOG)};
    const log = createLog(${JSON.stringify(level)});
    log.debug({}, "low"); log.info(${fields}, "high");`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  return {
    stdout,
    lines: stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe("the agent's log", () => {
  it("is one JSON line per event on standard error, from its level on", () => {
    const { stdout, lines } = logged("info", "{ jobId: 'j-1' }");
    expect(stdout).toBe("");
    expect(lines).toMatchObject([{ level: "info", jobId: "j-1", msg: "high" }]);
    expect(Date.parse(String(lines[0]?.time))).not.toBeNaN();
  });

  it("keeps what is secret to itself, and an error's cause whole", () => {
    const fields = `{ credential: "s3cret", identity: { credential: "s3cret", name: "one" },
      headers: { authorization: "Bearer s3cret" }, cause: new Error("outer", { cause: new Error("inner") }) }`;
    const text = JSON.stringify(logged("info", fields).lines);
    expect(text).not.toContain("s3cret");
    expect(text).toContain("inner");
    expect(text).toContain("one");
  });
});
