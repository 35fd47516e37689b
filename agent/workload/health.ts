import { get } from "node:http";
import type { HealthHook } from "../../protocol/build.ts";
import { HealthReport } from "../../protocol/health.ts";
import { parse } from "../../protocol/parse.ts";
import type { DurationMs } from "../../protocol/time.ts";
import type { Environment } from "./environment.ts";
import { showEnding, startProcessGroup } from "./process-group.ts";

export type HealthContext = {
  readonly cwd: string;
  readonly env: Environment;
  readonly limitMs: DurationMs;
};

const MAX_ANSWER = 64 * 1024;

/** Asks a health hook once. Never throws: a hook that fails, hangs or talks nonsense is an unhealthy report. */
export function askHealth(hook: HealthHook, context: HealthContext): Promise<HealthReport> {
  return Array.isArray(hook) ? askProgram(hook, context) : askAddress(hook.http, context.limitMs);
}

/**
 * What a health hook said: the report that it printed if it printed one, else its status alone. A report does not
 * make a failed status well.
 */
export function judgeHealth(succeeded: boolean, printed: string, failure: string): HealthReport {
  const said = reportIn(printed);
  if (said === undefined) return succeeded ? { healthy: true } : unhealthy(failure);
  const report = parse(HealthReport, said, "The health report");
  if (!report.ok) return unhealthy(report.error.message);
  if (succeeded || !report.value.healthy) return report.value;
  return { ...report.value, healthy: false, detail: failure };
}

/** The JSON object with a `healthy` in what was printed: all of it, or its last line. */
function reportIn(printed: string): object | undefined {
  const text = printed.trim();
  for (const candidate of [text, text.slice(text.lastIndexOf("\n") + 1)]) {
    if (!candidate.startsWith("{")) continue;
    try {
      const value: unknown = JSON.parse(candidate);
      if (typeof value === "object" && value !== null && "healthy" in value) return value;
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
    }
  }
  return undefined;
}

const unhealthy = (detail: string): HealthReport => ({ healthy: false, detail: detail.slice(0, 1_000) });

async function askProgram(command: readonly string[], { cwd, env, limitMs }: HealthContext) {
  let printed = "";
  let lastWords = "";
  const group = startProcessGroup({
    command: [...command],
    cwd,
    env,
    line: (stream, text) => {
      if (stream === "stdout" && printed.length < MAX_ANSWER) printed += `${text}\n`;
      if (stream === "stderr") lastWords = text;
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, limitMs, "late" as const);
  });
  const ending = await Promise.race([group.ended, late]);
  clearTimeout(timer);
  await group.stop(0);
  if (ending === "late") return unhealthy(`The health hook took longer than ${limitMs} ms.`);
  const why = `The health hook ${showEnding(ending)}${lastWords === "" ? "." : `: ${lastWords}`}`;
  return judgeHealth(ending.kind === "exited" && ending.code === 0, printed, why);
}

function askAddress(address: string, limitMs: DurationMs): Promise<HealthReport> {
  if (!URL.canParse(address)) return Promise.resolve(unhealthy(`${address} is not a URL.`));
  return new Promise((resolve) => {
    const late = `${address} did not answer within ${limitMs} ms.`;
    // One timer for all of it: an answer that trickles is late too.
    const timer = setTimeout(() => {
      request.destroy();
      resolve(unhealthy(late));
    }, limitMs);
    const settle = (report: HealthReport) => {
      clearTimeout(timer);
      resolve(report);
    };
    const request = get(address, { agent: false, headers: { accept: "application/json" } }, (response) => {
      let printed = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (printed.length < MAX_ANSWER) printed += text;
      });
      response.on("error", (cause) => settle(unhealthy(`${address}: ${cause.message}`)));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        settle(judgeHealth(status >= 200 && status < 300, printed, `${address} answered ${status}.`));
      });
    });
    request.on("error", (cause) => settle(unhealthy(`${address} cannot be reached: ${cause.message}.`)));
  });
}
