/**
 * How the agent reaches other machines: through which proxy, and trusting whom. All of its HTTP and WebSocket traffic
 * goes this way.
 * Source: docs/adr/0073-one-way-out.md.
 */
import type { Agent } from "node:http";
import type { Dispatcher } from "undici";
import {
  NO_PROXIES,
  type ProxyRules,
  parseProxy,
  proxyFor,
  proxyRulesOf,
  wrongProxyVariables,
} from "../../protocol/proxy.ts";
import { type Log, silentLog } from "../effects/log.ts";
import { type Authorities, createAuthorities } from "./authorities.ts";

/** What a WebSocket is opened with. */
export type SocketWay = { readonly ca?: string[]; readonly agent?: Agent };

export type Network = {
  readonly rules: ProxyRules;
  /** Connections for undici, with the authorities of now. Whoever opens them closes them. Throws `ca-file-unreadable`. */
  openDispatcher(): Promise<Dispatcher>;
  /** How to open a WebSocket, or a request of Node's own, to `url`, with the authorities of now. Throws `ca-file-unreadable`. */
  socketTo(url: string): Promise<SocketWay>;
  /** Looks at `ca_file`; another number than before when it holds other authorities. Throws `ca-file-unreadable`. */
  reading(): number;
};

/** What the settings say of it. */
export type NetworkSettings = {
  readonly caFile?: string;
  readonly proxy?: string;
  readonly noProxy?: string | readonly string[];
  readonly proxyLoopback: boolean;
};

const CONNECT_TIMEOUT_MS = 10_000;

export function createNetwork(options: {
  readonly caFile: string | null;
  readonly rules?: ProxyRules;
  readonly log?: Log;
}): Network {
  const rules = options.rules ?? NO_PROXIES;
  const authorities = createAuthorities(options.caFile, options.log ?? silentLog);
  return {
    rules,
    openDispatcher: () => openDispatcher(authorities, rules),
    socketTo: (url) => socketTo(authorities, rules, url),
    reading: () => authorities.trusted().reading,
  };
}

/** By the settings, and by the environment where they say nothing. */
export const networkOf = (config: NetworkSettings, env: Readonly<NodeJS.ProcessEnv>, log: Log): Network => {
  for (const name of wrongProxyVariables(env)) log.warn({ name }, `${name} is not the address of a proxy`);
  return createNetwork({ caFile: config.caFile ?? null, rules: rulesOf(config, env), log });
};

/** `proxy` of the settings wins over the environment's; so does `no_proxy`. */
export function rulesOf(config: NetworkSettings, env: Readonly<NodeJS.ProcessEnv>): ProxyRules {
  const found = proxyRulesOf(env);
  const { proxy, noProxy } = config;
  const one = proxy === undefined || proxy === NO_PROXY ? null : parseProxy(proxy);
  return {
    https: proxy === undefined ? found.https : one,
    http: proxy === undefined ? found.http : one,
    noProxy: noProxy === undefined ? found.noProxy : [noProxy].flat().join(","),
    loopback: config.proxyLoopback,
  };
}

/** The setting that keeps the environment's proxy from being used. */
export const NO_PROXY = "none";

async function openDispatcher(authorities: Authorities, rules: ProxyRules): Promise<Dispatcher> {
  const { Agent, Pool, ProxyAgent } = await import("undici");
  const { ca } = authorities.trusted();
  const connect = { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca: [...ca] }) };
  return new Agent({
    connect,
    factory: (origin, options) => {
      const proxy = proxyFor(new URL(origin), rules);
      if (proxy === null) return new Pool(origin, options);
      return new ProxyAgent({ uri: proxy.href, requestTls: connect, proxyTls: connect });
    },
  });
}

async function socketTo(authorities: Authorities, rules: ProxyRules, url: string): Promise<SocketWay> {
  const target = new URL(url);
  const trusted = authorities.trusted().ca;
  const ca = trusted === undefined ? {} : { ca: [...trusted] };
  const proxy = proxyFor(target, rules);
  if (proxy === null) return ca;
  // Node asks its own NO_PROXY only where it is told one: that was decided here.
  const proxyEnv = { HTTPS_PROXY: proxy.href, HTTP_PROXY: proxy.href };
  const { Agent: Plain } = await import("node:http");
  const { Agent: Secure } = await import("node:https");
  return {
    ...ca,
    agent: /^(wss|https):$/.test(target.protocol) ? new Secure({ proxyEnv, ...ca }) : new Plain({ proxyEnv }),
  };
}
