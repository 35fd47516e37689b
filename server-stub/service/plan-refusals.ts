/** Why a plan is not started, as problems. */
import type { Check } from "../../protocol/plan.ts";
import { PROBLEM_STATUS, type ProblemCode } from "../../protocol/problem.ts";
import { err, type Result } from "../../protocol/result.ts";
import { differences } from "../core/plan/ingredients.ts";
import type { Planned } from "../core/plan/plan.ts";
import type { Context } from "./context.ts";
import type { Refusal } from "./coordinator.ts";
import { refuse } from "./refusals.ts";

/** Sentences of checks, or differences, in one problem. */
const MOST_SAID = 10;

/** The first check that refuses decides the code; all of them are told. */
export function denyByChecks(ctx: Context, { plan, draft }: Planned): Result<never, Refusal> | null {
  const refusing = plan.checks.filter(({ outcome }) => outcome === "refused");
  const [first] = refusing;
  if (first === undefined) return null;
  const code = first.code !== null && isCode(first.code) ? first.code : "conflict";
  const sentences = refusing.slice(0, MOST_SAID).map(({ message }) => message);
  if (refusing.length > MOST_SAID) sentences.push(`${refusing.length - MOST_SAID} more checks refuse.`);
  const node = draft.world.nodes.find(({ id }) => id === first.nodeId);
  const hint = HINTS[first.override ?? ""] ?? HINTS[code];
  return refuse(code, `${sentences.join(" ")} Nothing was begun.`, {
    ...(hint === undefined ? {} : { hint }),
    ...(PASSES.includes(first.check) ? { retryAfterMs: ctx.timings.heartbeatMs } : {}),
    context: {
      ...first.numbers,
      check: first.check,
      refused: [...new Set(refusing.map(({ check }) => check))].join(", "),
      ...(first.group === null ? {} : { group: first.group }),
      ...(node === undefined ? {} : { node: node.name }),
      ...(code === "rollout-active" && node?.rollout != null
        ? { rollout: node.rollout.id, state: node.rollout.status }
        : {}),
      ...(code === "no-build-for-platform" && node?.known != null ? { platform: node.known.platform } : {}),
    },
  });
}

/** What may be otherwise in a moment. */
const PASSES: readonly Check["check"][] = ["online", "healthy", "draining", "lease", "quorum"];

const HINTS: Readonly<Record<string, string>> = {
  "accept-outage": "Say `--accept-outage` if that is fine.",
  "allow-unhealthy": "Wait until the node is well, or name it with `--allow-unhealthy`: it then goes first.",
  "rollout-active": "Wait for it, or cancel it.",
  "already-up-to-date": "There is nothing to do.",
  "no-build-for-platform": "Publish the release with a bundle for it as well.",
  "wrong-engine": "Upgrade the baton-agent package on the node, or bundle with `--runtime`.",
  "wrong-protocol": "Update by way of a release in between.",
  "below-floor": "Choose a newer release.",
  "lease-held": "Wait until it is returned; `baton lease show` tells who has it.",
  "update-in-progress": "Wait until it is done.",
  quorum: "Bring the voters back that do not serve; `baton rollout plan` tells which.",
};

const isCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEM_STATUS, code);

/** The plan that somebody has agreed to is no longer the plan. */
export function denyChanged(
  ctx: Context,
  planned: Planned,
  agreed: string | undefined,
): Result<never, Refusal> | null {
  const { hash } = planned.plan;
  if (agreed === undefined || agreed === hash) return null;
  const shown = ctx.shownPlans.find(agreed);
  const changes = shown === null ? [] : differences(shown, planned.memory);
  const more = changes.length > MOST_SAID ? `; and ${changes.length - MOST_SAID} more` : "";
  const what = changes.length === 0 ? "" : `: ${changes.slice(0, MOST_SAID).join("; ")}${more}`;
  return err({
    code: "plan-changed",
    message: `What was planned is no longer what would be done${what}. Nothing was begun.`,
    hint: "Look at the plan anew, and start that one.",
    context: { planHash: hash, agreed, known: shown !== null, changes: changes.length },
  });
}
