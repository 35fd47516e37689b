import { err, ok, type Result } from "../../../protocol/result.ts";

/** Where a database is: one address for each of its hosts, in the order in which they are tried. */
export type PostgresAddress = {
  readonly urls: readonly string[];
  /** For people: hosts and the database's name, without user or password. */
  readonly shown: string;
};

/** `postgres://user:password@host:port,host:port/database?options`, as libpq writes it. */
const SHAPE = /^(postgres(?:ql)?:\/\/)((?:[^@/?#]*@)?)([^@/?#]*)((?:\/[^?#]*)?)((?:\?[^#]*)?)$/;

/** Only a host that takes writes is of any use, so that these say what is done anyway. */
const WRITABLE = ["read-write", "primary"];

/** Reads the address of a database that may have several hosts. Error: a sentence without the password. */
export function readAddress(text: string): Result<PostgresAddress, string> {
  const [, scheme = "", user = "", authority = "", path = "", query = ""] = SHAPE.exec(text) ?? [];
  if (scheme === "") return err("must look like postgres://user:password@host:5432,other:5432/database.");
  const params = new URLSearchParams(query);
  const wanted = params.get("target_session_attrs");
  if (wanted !== null && !WRITABLE.includes(wanted))
    return err(`has target_session_attrs=${wanted}; only a host that takes writes is of use: read-write.`);
  params.delete("target_session_attrs");
  const rest = `${path}${params.size === 0 ? "" : `?${params.toString().replaceAll("+", "%20")}`}`;
  const hosts = authority.split(",");
  const socket = params.get("host");
  if (hosts.length > 1 && hosts.includes("")) return err("has an empty host in its list.");
  if (authority === "" && socket === null) return err("names no host.");
  const urls = hosts.map((host) => `${scheme}${user}${host}${rest}`);
  // A path without a host is no URL, but what libpq writes for a socket.
  const wrong = authority === "" ? undefined : hosts.find((_, at) => !URL.canParse(urls[at] ?? ""));
  if (wrong !== undefined) return err(`has the host ${JSON.stringify(wrong)}, which is none.`);
  return ok({ urls, shown: `${authority === "" ? socket : authority}${path}` });
}
