/** Every operation of the API, called by everybody with anything: always an answer, never a fault of ours. */
import fc from "fast-check";
import { isRouteKey, mayCall } from "../../../server-stub/api/permissions.ts";
import type { DoorAnswer } from "../../server-stub/harness/door.ts";
import type { JsonSchema } from "../generate/from-schema.ts";
import { wrongWords } from "../says.ts";
import type { Target } from "../target.ts";
import { type Call, callsOf, type Operation, operationsIn } from "./calls.ts";
import type { World } from "./world.ts";

/** No answer takes as long; whoever waits longer was forgotten. */
const HANG_MS = 15_000;

/** Answers that say by their status that something is not ready, which is what they are for. */
const MAY_BE_503 = new Set(["ready"]);

export function httpTargets(document: object, world: () => Pick<World, "named" | "call">): Target[] {
  const { schemas } = (document as { components: { schemas: Record<string, JsonSchema> } }).components;
  return operationsIn(document).map((operation) => {
    let calls: fc.Arbitrary<Call> | undefined;
    // The world is there only when the property is tried.
    const lazily = () => {
      calls ??= callsOf(operation, { schemas, named: world().named });
      return calls;
    };
    return {
      name: `${operation.operationId} answers whatever it is asked, and by whom`,
      runs: 15,
      property: fc.asyncProperty(fc.constant(null).chain(lazily), async (call) => {
        const answer = await Promise.race([world().call(operation, call), hang()]);
        const wrong = wrongAnswer(operation, call, answer);
        if (wrong !== null) throw new Error(`${wrong}\n${answer.status} ${answer.text.slice(0, 1_000)}`);
      }),
    };
  });
}

async function hang(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, HANG_MS).unref());
  throw new Error(`no answer came within ${HANG_MS} ms`);
}

function wrongAnswer(operation: Operation, { as }: Call, answer: DoorAnswer): string | null {
  const { status, body, text, headers } = answer;
  const { method, path, operationId } = operation;
  if (status >= 500 && !(status === 503 && MAY_BE_503.has(operationId))) return "it is a fault of the server";
  // FleetLock's clients know refusals of its own.
  const isOurs = operation.responses.default?.content?.["application/problem+json"] !== undefined;
  if (status >= 400 && !isOurs) {
    if (typeof body.kind !== "string" || typeof body.value !== "string") return "it is no refusal";
    const words = wrongWords(body.value);
    if (words !== null) return words;
  } else if (status >= 400 && !MAY_BE_503.has(operationId)) {
    if (!String(headers["content-type"]).startsWith("application/problem+json")) return "it is no problem";
    if (body.status !== status || body.type !== `urn:baton:problem:${String(body.code)}`) return "it is torn";
    const words = wrongWords(`${String(body.detail)} ${typeof body.hint === "string" ? body.hint : ""}`);
    if (words !== null) return words;
    if (/\/tmp\/|\/dev\/shm|baton-repository/.test(text)) return "it tells a path";
  }
  const key = `${method} ${path.replace("{path}", "*").replace(/\{(\w+)\}/g, ":$1")}`;
  if (!isRouteKey(key)) return `${key} is not in the table`;
  const mayPass = mayCall(key, as);
  if (!mayPass && status < 400) return `${as} was let in`;
  if (mayPass && isKeptOut(as, answer)) return `${as} was kept out`;
  return null;
}

/** For who asks; whatever else is refused is so for what there is, as a node that is not approved yet. */
function isKeptOut(as: Call["as"], { status, body }: DoorAnswer): boolean {
  // A node may have been revoked or removed meanwhile.
  if (status === 401) return as !== "node" && as !== "pending";
  const { role } = (body.context ?? {}) as { role?: unknown };
  return body.code === "forbidden" && role === as;
}
