/**
 * Which addresses of the network a webhook may not lead to: those that are not everybody's, so that nobody can make
 * the coordinator speak to what only it can reach.
 * Sources: IANA's registries of special-purpose IPv4 and IPv6 addresses (RFC 6890 and what updates it).
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

/** What is not public, by why. The first that fits is named. */
const SPECIAL_4: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["0.0.0.0", 8, "this machine's"],
  ["127.0.0.0", 8, "loopback"],
  ["10.0.0.0", 8, "private"],
  ["172.16.0.0", 12, "private"],
  ["192.168.0.0", 16, "private"],
  ["100.64.0.0", 10, "a carrier's own"],
  ["169.254.0.0", 16, "link-local"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "reserved"],
  ["192.88.99.0", 24, "reserved"],
  ["198.18.0.0", 15, "reserved"],
  ["198.51.100.0", 24, "reserved"],
  ["203.0.113.0", 24, "reserved"],
  // A public address that is a cloud's own service (Azure's) all the same.
  ["168.63.129.16", 32, "a cloud's metadata"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

/** Of the addresses that are given out, which is 2000::/3 alone. */
const SPECIAL_6: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["2001::", 23, "reserved"],
  ["2001:db8::", 32, "reserved"],
  ["2002::", 16, "a tunnel's"],
  ["3fff::", 20, "reserved"],
];
/** Why one outside of 2000::/3 is refused, where there is a better word than `reserved`. */
const OUTSIDE_6: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["::", 128, "this machine's"],
  ["::1", 128, "loopback"],
  ["fc00::", 7, "private"],
  ["fe80::", 10, "link-local"],
  ["ff00::", 8, "multicast"],
];

const listOf = (family: "ipv4" | "ipv6", network: string, prefix: number): BlockList => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list;
};
const lists = (family: "ipv4" | "ipv6", entries: typeof SPECIAL_4) =>
  entries.map(([network, prefix, what]) => ({ list: listOf(family, network, prefix), what }));

const FOUR = lists("ipv4", SPECIAL_4);
const SIX = lists("ipv6", SPECIAL_6);
const OUTSIDE = lists("ipv6", OUTSIDE_6);
const GIVEN_OUT = listOf("ipv6", "2000::", 3);
const MAPPED = listOf("ipv6", "::ffff:0:0", 96);
/** By which hosts without IPv4 reach it: the address within decides. */
const NAT64 = listOf("ipv6", "64:ff9b::", 96);

/** What an address is that is not public, in a word or two; null for a public one. What is no address is not public. */
export function notPublic(address: string): string | null {
  const [bare = ""] = address.split("%");
  if (isIPv4(bare)) return FOUR.find(({ list }) => list.check(bare, "ipv4"))?.what ?? null;
  if (!isIPv6(bare)) return "no address";
  if (MAPPED.check(bare, "ipv6") || NAT64.check(bare, "ipv6")) return notPublic(lastFourBytes(bare));
  if (!GIVEN_OUT.check(bare, "ipv6"))
    return OUTSIDE.find(({ list }) => list.check(bare, "ipv6"))?.what ?? "reserved";
  return SIX.find(({ list }) => list.check(bare, "ipv6"))?.what ?? null;
}

/** The IPv4 address that ends an IPv6 address of /96. */
function lastFourBytes(address: string): string {
  const dotted = /[^:]+\.[^:]+$/.exec(address)?.[0];
  if (dotted !== undefined) return dotted;
  const [high = 0, low = 0] = wordsAtTheEnd(address);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The last two of the eight words; a gap (`::`) stands for zeros. */
function wordsAtTheEnd(address: string): number[] {
  const [, after] = address.split("::");
  const words = (after ?? address).split(":").map((word) => Number.parseInt(word || "0", 16));
  return [0, 0, ...words].slice(-2);
}
