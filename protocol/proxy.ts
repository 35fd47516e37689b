/**
 * Which proxy a request goes through, by the variables that curl and most programs obey: `HTTPS_PROXY`,
 * `HTTP_PROXY` and `NO_PROXY`, in lower case too. Pure.
 *
 * Invariant: what stays on this machine is never sent through a proxy, unless it is asked for by name.
 */
import { BlockList, isIP } from "node:net";

export type ProxyRules = {
  /** Address of the proxy for `https:` targets; null for none. */
  readonly https: URL | null;
  /** Address of the proxy for `http:` targets; null for none. */
  readonly http: URL | null;
  /** Whom to reach directly, as `NO_PROXY` is written. */
  readonly noProxy: string;
  /** Whether a proxy is used for loopback addresses as well. */
  readonly loopback: boolean;
};

export const NO_PROXIES: ProxyRules = { https: null, http: null, noProxy: "", loopback: false };

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says; lower case wins, as with curl. What is no address of a proxy is left out. */
export function proxyRulesOf(env: Environment): ProxyRules {
  const said = (name: string) => env[name.toLowerCase()] ?? env[name] ?? "";
  return {
    https: parseProxy(said("HTTPS_PROXY")),
    http: parseProxy(said("HTTP_PROXY")),
    noProxy: said("NO_PROXY"),
    loopback: false,
  };
}

/** The variables of an environment that should name a proxy and do not. */
export const wrongProxyVariables = (env: Environment): readonly string[] =>
  ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"].filter((name) => {
    const text = env[name] ?? "";
    return text !== "" && parseProxy(text) === null;
  });

/** `http://user:password@proxy.example:3128`, or less of it; null for what is no address of an HTTP proxy. */
export function parseProxy(text: string): URL | null {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (text === "" || !URL.canParse(full)) return null;
  const url = new URL(full);
  const isPlain = url.search === "" && url.hash === "" && (url.pathname === "/" || url.pathname === "");
  return /^https?:$/.test(url.protocol) && url.hostname !== "" && isPlain ? url : null;
}

/** An address of a proxy for people: without the user and the password. */
export const showProxy = ({ protocol, host }: URL): string => `${protocol}//${host}`;

/** The proxy that a request to `target` goes through; null for none. */
export function proxyFor(target: URL, rules: ProxyRules): URL | null {
  const proxy = /^(https|wss):$/.test(target.protocol) ? rules.https : rules.http;
  if (proxy === null || (!rules.loopback && isLoopbackHost(target.hostname))) return null;
  return isReachedDirectly(target, rules.noProxy) ? null : proxy;
}

/** Whether a URL's host never leaves this machine. */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);

/**
 * Whether `NO_PROXY` names the target. Its entries are separated by commas or spaces: `*`; a name, which stands for
 * all names below it too (`.name` and `*.name` mean the same); an address; a block of addresses (`10.0.0.0/8`); each
 * but the block also with a port.
 */
export function isReachedDirectly(target: URL, noProxy: string): boolean {
  const host = plain(target.hostname);
  const port = target.port === "" ? DEFAULT_PORTS[target.protocol] : target.port;
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entry === "*" || names(entry.toLowerCase(), host, port));
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "ws:": "80",
  "https:": "443",
  "wss:": "443",
};

function names(entry: string, host: string, port: string | undefined): boolean {
  if (entry.includes("/")) return isInBlock(entry, host);
  const [, name = entry, wanted] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const suffix = plain(name.replace(/^\*?\./, ""));
  return host === suffix || (isIP(suffix) === 0 && suffix !== "" && host.endsWith(`.${suffix}`));
}

function isInBlock(entry: string, host: string): boolean {
  const [network = "", bits = ""] = entry.split("/");
  const family = isIP(plain(network));
  const isBlock = family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  if (!isBlock || isIP(host) !== family) return false;
  const blocks = new BlockList();
  const kind = family === 4 ? "ipv4" : "ipv6";
  blocks.addSubnet(plain(network), Number(bits), kind);
  return blocks.check(host, kind);
}

/** Without the brackets of an IPv6 address, and without the dot at the end of a name. */
const plain = (host: string): string => host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
