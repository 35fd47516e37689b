/** How checks are said. Pure. */
import type { Check, CheckName } from "../../../../protocol/plan.ts";
import type { ProblemCode } from "../../../../protocol/problem.ts";
import type { Draft } from "../draft.ts";
import type { PlanNode } from "../world.ts";

/** Looks at the world in one respect; what is well says so, too. */
export type Look = (draft: Draft) => readonly Check[];

type Said = {
  readonly message: string;
  readonly numbers: Readonly<Record<string, number>>;
  /** Of whom it is said. */
  readonly group?: string;
  readonly nodeId?: string;
  readonly override?: NonNullable<Check["override"]>;
};

const of = (check: CheckName, outcome: Check["outcome"], code: string | null, said: Said): Check => ({
  check,
  outcome,
  code,
  message: said.message,
  override: said.override ?? null,
  group: said.group ?? null,
  nodeId: said.nodeId ?? null,
  numbers: { ...said.numbers },
});

export const passed = (check: CheckName, said: Said): Check => of(check, "passed", null, said);
export const warned = (check: CheckName, code: string, said: Said): Check => of(check, "warned", code, said);
export const refused = (check: CheckName, code: ProblemCode, said: Said): Check =>
  of(check, "refused", code, said);

/** A refusal for each up to so many; a thousand of them would tell nobody more. */
const EACH = 50;

/** What is wrong with each of `found`, or else that nothing is. */
export function each<T>(found: readonly T[], say: (one: T) => Check, fine: () => Check): readonly Check[] {
  if (found.length === 0) return [fine()];
  const said = found.slice(0, EACH).map(say);
  const [first] = said;
  const more = found.length - EACH;
  if (first === undefined || more <= 0) return said;
  const message = `The same goes for ${more} more nodes.`;
  return [...said, { ...first, message, group: null, nodeId: null, numbers: { nodes: more } }];
}

/** A few of them by name. */
export function names(nodes: readonly Pick<PlanNode, "name">[], most = 5): string {
  const shown = nodes.slice(0, most).map(({ name }) => name);
  const more = nodes.length - shown.length;
  if (more > 0) return `${shown.join(", ")} and ${more} more`;
  const last = shown.pop() ?? "nobody";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

export const isOrAre = ({ length }: readonly unknown[]): string => (length === 1 ? "is" : "are");

export const seconds = (ms: number): string =>
  ms % 1000 === 0 || ms >= 60_000 ? `${Math.round(ms / 1000)} s` : `${(ms / 1000).toFixed(1)} s`;
