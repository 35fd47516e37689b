/** What an agent makes of an answer, and of what a health hook prints, whoever gave it. */
import fc from "fast-check";
import { type Conversation, greeting, hear } from "../../../agent/session/conversation.ts";
import { failureOf } from "../../../agent/session/http-client.ts";
import { judgeHealth } from "../../../agent/workload/health.ts";
import { CoordinatorFrame, type CoordinatorFrame as Frame } from "../../../protocol/frames.ts";
import { HealthReport } from "../../../protocol/health.ts";
import { Reason } from "../../../protocol/job.ts";
import { Problem } from "../../../protocol/problem.ts";
import { Value } from "../../../protocol/schema.ts";
import { fitting, type JsonSchema } from "../generate/from-schema.ts";
import { nastyText } from "../generate/nasty.ts";
import { decent } from "../says.ts";
import type { Target } from "../target.ts";
import { texts } from "./texts.ts";

const SERVER = "https://coordinator.example";

const frames = fitting(JSON.parse(JSON.stringify(CoordinatorFrame)) as JsonSchema, {
  named: { session: fc.constantFrom("a".repeat(32), "b".repeat(32)), seq: fc.integer({ min: 1, max: 6 }) },
}) as fc.Arbitrary<Frame>;

export const targets: readonly Target[] = [
  {
    name: "a refusal becomes a reason that can be reported",
    runs: 150,
    property: fc.property(
      fc.oneof(texts(Problem), nastyText),
      fc.integer({ min: 100, max: 599 }),
      fc.option(nastyText, { nil: undefined }),
      (text, status, retryAfter) => {
        const failure = failureOf(SERVER, status, text, retryAfter);
        const { code, message, retryAfterMs = 0, kind } = failure;
        if (!Value.Check(Reason, { code, message })) throw new Error("it cannot be told to a coordinator");
        if (!(retryAfterMs >= 0)) throw new Error(`it waits for ${retryAfterMs} ms`);
        if (status >= 500 && kind === "refused") throw new Error("nobody knows what a server in trouble did");
        decent({ ok: false, error: failure });
      },
    ),
  },
  {
    name: "what a health hook prints becomes a report that can be sent",
    runs: 150,
    property: fc.property(texts(HealthReport), fc.boolean(), (printed, succeeded) => {
      const report = judgeHealth(succeeded, printed, "It ended with status 1.");
      if (!Value.Check(HealthReport, report)) throw new Error(JSON.stringify(report).slice(0, 300));
      if (!succeeded && report.healthy) throw new Error("a failure is not well");
    }),
  },
  {
    name: "whatever a coordinator says in whatever order, orders are only taken newer and of this session",
    runs: 200,
    property: fc.property(fc.array(frames, { maxLength: 12 }), (said) => {
      let conversation: Conversation = greeting;
      for (const frame of said) {
        const before = conversation;
        const { conversation: after, heard } = hear(before, frame);
        if (heard.kind === "orders") {
          const fits =
            before.kind === "open" &&
            heard.orders.session === before.session &&
            heard.orders.seq > before.heard;
          if (!fits) throw new Error("old orders were taken");
        }
        if (before.kind === "open" && after.kind === "open" && before.session === after.session) {
          const isNew = frame.type === "welcome";
          if (!isNew && after.heard < before.heard) throw new Error("what was heard was forgotten");
        }
        conversation = after;
      }
    }),
  },
];
