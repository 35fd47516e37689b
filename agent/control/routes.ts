import type { LogLine } from "../../protocol/job.ts";
import { JobId } from "../../protocol/names.ts";
import { parse, parseJson } from "../../protocol/parse.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";
import type { Static, TSchema } from "../../protocol/schema.ts";
import {
  type AgentStatus,
  type InstallReply,
  type JobEnd,
  type JobSummary,
  NoRequest,
  type Started,
  UpdateRequest,
} from "./messages.ts";
import { followLog, watchJob } from "./watch.ts";

/** What the control API can ask of the agent. */
export type ControlPort = {
  status(): AgentStatus;
  /** Asks the coordinator for an update of this node. */
  update(options: { retry: boolean }): Promise<Result<Started, Fault>>;
  /** Asks the coordinator for the lease to go back to `dist.bak`. */
  rollback(): Promise<Result<Started, Fault>>;
  /** Takes in a signed bundle without a network. */
  install(kit: AsyncIterable<Uint8Array>): Promise<Result<InstallReply, Fault>>;
  /** The jobs whose logs are kept, the newest first. */
  jobs(): Promise<readonly JobSummary[]>;
  logLines(jobId: JobId, from: number, limit: number): Promise<readonly LogLine[]>;
  /** How the coordinator says that a job ended; null when it has not, or nobody knows. */
  howEnded(jobId: JobId): Promise<JobEnd | null>;
  /** Calls back whenever something that `status` or a log shows may have changed. */
  subscribe(changed: () => void): () => void;
};

type Request = { readonly url: URL; readonly body: AsyncIterable<Uint8Array>; readonly signal: AbortSignal };
type Answer =
  | { readonly kind: "json"; readonly body: unknown }
  | { readonly kind: "stream"; readonly events: AsyncIterable<unknown> };
type Handler = (port: ControlPort, request: Request) => Promise<Result<Answer, Fault>>;

const MAX_BODY_BYTES = 64 * 1024;

const ROUTES: readonly (readonly [
  method: string,
  path: RegExp,
  handler: (match: RegExpExecArray) => Handler,
])[] = [
  ["GET", /^\/v1\/status$/, () => async (port) => json(port.status())],
  [
    "POST",
    /^\/v1\/update$/,
    () =>
      async (port, { body }) => {
        const wanted = await readBody(UpdateRequest, body);
        if (!wanted.ok) return wanted;
        return asJson(await port.update({ retry: wanted.value.retry ?? false }));
      },
  ],
  [
    "POST",
    /^\/v1\/rollback$/,
    () =>
      async (port, { body }) => {
        const wanted = await readBody(NoRequest, body);
        return wanted.ok ? asJson(await port.rollback()) : wanted;
      },
  ],
  [
    "POST",
    /^\/v1\/install$/,
    () =>
      async (port, { body }) =>
        asJson(await port.install(body)),
  ],
  ["GET", /^\/v1\/jobs$/, () => async (port) => json({ jobs: await port.jobs() })],
  [
    "GET",
    /^\/v1\/jobs\/([^/]+)\/watch$/,
    ([, id]) =>
      async (port, { url, signal }) => {
        const asked = readQuery(id, url);
        return asked.ok ? stream(watchJob(port, asked.value.jobId, asked.value.from, signal)) : asked;
      },
  ],
  [
    "GET",
    /^\/v1\/jobs\/([^/]+)\/log$/,
    ([, id]) =>
      async (port, { url, signal }) => {
        const asked = readQuery(id, url);
        if (!asked.ok) return asked;
        const { jobId, from, follow } = asked.value;
        return stream(followLog(port, jobId, { from, follow }, signal));
      },
  ],
];

/** The handler of a request. Errors: `not-found`, `method-not-allowed`. */
export function findRoute(method: string, url: URL): Result<Handler, Fault> {
  const matches = ROUTES.flatMap(([allowed, path, handler]) => {
    const match = path.exec(url.pathname);
    return match === null ? [] : [{ allowed, handler: handler(match) }];
  });
  const fits = matches.find(({ allowed }) => allowed === method);
  if (fits !== undefined) return ok(fits.handler);
  if (matches.length === 0)
    return err({ code: "not-found", message: `The control API has no ${url.pathname}.` });
  const allowed = matches.map(({ allowed }) => allowed).join(", ");
  return err({ code: "method-not-allowed", message: `${url.pathname} is for ${allowed}, not ${method}.` });
}

const json = (body: unknown): Result<Answer, Fault> => ok({ kind: "json", body });
const asJson = (result: Result<unknown, Fault>): Result<Answer, Fault> =>
  result.ok ? json(result.value) : result;
const stream = (events: AsyncIterable<unknown>): Result<Answer, Fault> => ok({ kind: "stream", events });

function readQuery(
  id: string | undefined,
  url: URL,
): Result<{ jobId: JobId; from: number; follow: boolean }, Fault> {
  const jobId = parse(JobId, id, "The job's id");
  if (!jobId.ok) return jobId;
  const from = Number(url.searchParams.get("from") ?? "0");
  if (!Number.isSafeInteger(from) || from < 0)
    return err({ code: "malformed", message: "`from` must be the index of a line." });
  return ok({ jobId: jobId.value, from, follow: url.searchParams.get("follow") === "1" });
}

async function readBody<S extends TSchema>(
  schema: S,
  body: AsyncIterable<Uint8Array>,
): Promise<Result<Static<S>, Fault>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      return err({ code: "too-large", message: `The body has more than ${MAX_BODY_BYTES} bytes.` });
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? parse(schema, {}, "The body") : parseJson(schema, text, "The body");
}
