import { expect, it } from "vitest";
import { ALL_TOOLS } from "../../cli/mcp/all-tools.ts";
import { sameByHand } from "../../examples/demo/same-by-hand.ts";
import { parse } from "../../protocol/parse.ts";

const rollout = {
  id: "r-74s28fbgmrsu",
  release: "1.1.0",
  selection: { groups: ["demo"] },
  planHash: "5d7f0b30".repeat(8),
};

it("tells commands that start exactly the plan that was carried out", () => {
  const { baton } = sameByHand(rollout, "app.tar.zst");
  expect(baton.map((args) => args.join(" "))).toEqual([
    "publish app.tar.zst",
    "rollout start --group demo --release 1.1.0 --dry-run",
    `rollout start --group demo --release 1.1.0 --plan ${rollout.planHash} --yes --watch`,
  ]);
  expect(() => sameByHand({ ...rollout, planHash: null }, "app.tar.zst")).toThrow(/not started by a plan/);
});

it("tells calls that the tools take as they are", () => {
  for (const { name, arguments: given } of sameByHand(rollout, "app.tar.zst").mcp) {
    const tool = ALL_TOOLS.find((one) => one.name === name);
    expect(tool && parse(tool.input, given, name)).toEqual({ ok: true, value: given });
  }
});
