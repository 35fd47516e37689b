/** Going to the coordinator as the agent does, one layer after the other, to see where it ends. */
import { lookup } from "node:dns/promises";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { connect, isIP } from "node:net";
import { type DetailedPeerCertificate, TLSSocket } from "node:tls";
import { parseJson } from "../../../protocol/parse.ts";
import { proxyFor, showProxy } from "../../../protocol/proxy.ts";
import { FaultError } from "../../../protocol/result.ts";
import { ServiceVersion } from "../../../protocol/service.ts";
import type { DurationMs } from "../../../protocol/time.ts";
import { createAddresses } from "../../session/addresses.ts";
import { createHttpClient, why } from "../../session/http-client.ts";
import type { Network } from "../../session/network.ts";
import type { Answered, ServerFacts, Tried } from "../coordinator.ts";

/** Each layer has so long. */
const LAYER_MS = 4_000;
const MAX_BODY = 65_536;

export type Asker = { readonly nodeId: string; readonly credential: string };

export async function lookAtServer(
  server: string,
  network: Network,
  asker: Asker | null,
  layerMs: DurationMs = LAYER_MS,
): Promise<ServerFacts> {
  const url = new URL(server);
  const proxy = proxyFor(url, network.rules);
  const facts: ServerFacts = {
    server,
    proxy: proxy === null ? null : showProxy(proxy),
    name: null,
    connection: null,
    answer: null,
    credential: null,
  };
  const first = proxy ?? url;
  const host = first.hostname.replace(/^\[(.*)\]$/, "$1");
  const name = isIP(host) === 0 ? await within(layerMs, lookup(host)) : null;
  if (name !== null && !name.ok) return { ...facts, name };
  const connection = await within(layerMs, connectTo(host, portOf(first), layerMs));
  if (!connection.ok) return { ...facts, name, connection };
  const answer = await askVersion(server, network, layerMs);
  const seen = { ...facts, name, connection, answer };
  if (asker === null || !answer.ok || answer.version === null) return seen;
  return { ...seen, credential: await tryCredential(server, network, asker, layerMs) };
}

const portOf = ({ port, protocol }: URL): number =>
  port !== "" ? Number(port) : protocol === "https:" ? 443 : 80;

function connectTo(host: string, port: number, layerMs: DurationMs): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: layerMs });
    socket.on("timeout", () => socket.destroy(new Error(`nothing within ${layerMs / 1_000} s`)));
    socket.on("error", reject);
    socket.on("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

/** `GET /v1/version`, which needs no credential: none is shown to whom is not known to be the coordinator. */
async function askVersion(server: string, network: Network, layerMs: DurationMs): Promise<Answered> {
  const url = `${server}/v1/version`;
  const begun = performance.now();
  const sentAt = Date.now();
  try {
    const way = await network.socketTo(url);
    const request = url.startsWith("https:") ? secureRequest : plainRequest;
    const { response, text } = await new Promise<{ response: IncomingMessage; text: string }>(
      (resolve, reject) => {
        const asked = request(url, {
          ...way,
          agent: way.agent ?? false,
          signal: AbortSignal.timeout(layerMs),
        });
        asked.on("error", reject);
        asked.on("response", (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            text += chunk;
            if (text.length > MAX_BODY) response.destroy(new Error("the answer is too long"));
          });
          response.on("error", reject);
          response.on("end", () => resolve({ response, text }));
        });
        asked.end();
      },
    );
    const ms = Math.round(performance.now() - begun);
    const version = parseJson(ServiceVersion, text, "The answer");
    return {
      ok: true,
      ms,
      status: response.statusCode ?? 0,
      version: version.ok ? version.value : null,
      offsetMs: offsetOf(response.headers.date, sentAt, ms),
      certificate: certificateOf(response),
    };
  } catch (cause) {
    const code = codeOf(cause);
    return {
      ok: false,
      code,
      why: code === "timed-out" ? `nothing within ${layerMs / 1_000} s` : why(cause),
    };
  }
}

/** Half a second is added: the header has whole ones. */
function offsetOf(date: string | undefined, sentAt: number, ms: number): number | null {
  const said = Date.parse(date ?? "");
  return Number.isNaN(said) ? null : Math.round(sentAt + ms / 2 - (said + 500));
}

/** The first of the chain to expire. */
function certificateOf({ socket }: IncomingMessage) {
  if (!(socket instanceof TLSSocket)) return null;
  let first: { subject: string; expires: number } | null = null;
  let each: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (const seen = new Set<string>(); each?.valid_to !== undefined && !seen.has(each.fingerprint256); ) {
    seen.add(each.fingerprint256);
    const expires = Date.parse(each.valid_to);
    if (first === null || expires < first.expires)
      first = { subject: `CN=${[each.subject.CN ?? ""].flat().join()}`, expires };
    each = each.issuerCertificate;
  }
  return first;
}

async function tryCredential(
  server: string,
  network: Network,
  { nodeId, credential }: Asker,
  layerMs: DurationMs,
): Promise<Tried> {
  const http = createHttpClient({ addresses: createAddresses([server]), credential, network });
  try {
    const answer = await http.call({ method: "GET", path: `/v1/nodes/${nodeId}`, timeoutMs: layerMs });
    return answer.ok ? { ok: true } : { ok: false, why: answer.error.message };
  } finally {
    await http.close();
  }
}

async function within(layerMs: DurationMs, tried: Promise<unknown>): Promise<Tried> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Tried>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, why: `nothing within ${layerMs / 1_000} s` }), layerMs);
  });
  const done = tried.then(
    (): Tried => ({ ok: true }),
    (cause: unknown): Tried => ({ ok: false, why: why(cause) }),
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(cause: unknown): string {
  if (cause instanceof FaultError) return cause.fault.code;
  if (!(cause instanceof Error)) return "failed";
  if (cause.name === "TimeoutError" || cause.name === "AbortError") return "timed-out";
  return "code" in cause && typeof cause.code === "string" ? cause.code : "failed";
}
