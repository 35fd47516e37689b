/** The agent's HTTP over the simulated network: one request, one answer, or nobody knows. */
import { type CallFailure, failureOf, type HttpClient } from "../../agent/session/http-client.ts";
import { err, ok, type Result } from "../../protocol/result.ts";
import type { HttpAnswer } from "./doors.ts";
import type { Wire } from "./socket.ts";

export const simHttp = (wire: Wire, after: (ms: number, run: () => void) => () => void): HttpClient => ({
  call: ({ path, body, timeoutMs, signal }) =>
    new Promise<Result<unknown, CallFailure>>((resolve) => {
      const { network, node, time } = wire;
      const coordinator = wire.coordinator();
      const text = JSON.stringify(body ?? null);
      let over = false;
      const settle = (result: Result<unknown, CallFailure>) => {
        if (over) return;
        over = true;
        cancel();
        resolve(result);
      };
      const failed = (code: string, message: string) => settle(err({ kind: "unreachable", code, message }));
      const cancel = after(timeoutMs, () => failed("timed-out", `No answer within ${timeoutMs} ms.`));
      signal?.addEventListener("abort", () => failed("unreachable", "Given up."), { once: true });
      const back = (answer: HttpAnswer | null) =>
        network.send(node, "to-node", () =>
          wire.reach(() => {
            if (!wire.isAlive() || over) return;
            if (answer === null) failed("unreachable", "The connection broke.");
            else if (answer.status === 200) settle(ok(JSON.parse(answer.text)));
            else settle(err(failureOf("https://coordinator", answer.status, answer.text, undefined)));
          }),
        );
      network.send(node, "to-coordinator", () =>
        coordinator.clock.reach(() => {
          if (!coordinator.isUp) return back(null);
          time.must(coordinator.doors.call(wire.credential, path, text).then(back));
        }),
      );
    }),
  close: () => Promise.resolve(),
});
