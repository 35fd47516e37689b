import { describe, expect, it } from "vitest";
import { fits } from "../../../agent/core/fits.ts";

const host = { platform: "linux-x64", nodeVersion: "26.10.0", protocol: 2 } as const;
const build = {
  version: "1.4.0",
  platform: "linux-x64",
  engines: { node: ">=26.0.0" },
  protocol: 2,
} as const;

describe("fits", () => {
  it.each([
    ["the same platform, engine and protocol", {}],
    ["a runtime of its own", { engines: { node: "*" } }],
    ["the protocol before", { protocol: 1 }],
    ["the protocol after", { protocol: 3 }],
  ])("a build with %s", (_, change) => {
    expect(fits({ ...build, ...change }, host)).toEqual({ ok: true, value: undefined });
  });

  it.each([
    ["wrong-platform", { platform: "linux-arm64" as const }],
    ["wrong-engine", { engines: { node: ">=28" } }],
    ["wrong-engine", { engines: { node: "no range" } }],
    ["wrong-protocol", { protocol: 4 }],
  ])("refuses with %s", (code, change) => {
    expect(fits({ ...build, ...change }, host)).toMatchObject({ ok: false, error: { code } });
  });

  it("counts a pre-release of Node as that Node", () => {
    expect(fits(build, { ...host, nodeVersion: "27.0.0-nightly" })).toMatchObject({ ok: true });
  });
});
