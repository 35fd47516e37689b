import type { Node } from "./node.ts";

/** What `systemd-analyze security` makes of a unit: 0 is locked up, 10 is open. */
export async function exposureOf(node: Node, unit: string): Promise<number> {
  const path = await fileOf(node, unit);
  const text = await node.must(["systemd-analyze", "security", "--offline=true", "--no-pager", path]);
  const said = /Overall exposure level for .*: (\d+\.\d)/.exec(text)?.[1];
  if (said === undefined) throw new Error(`systemd-analyze gives no exposure level for ${unit}:\n${text}`);
  return Number(said);
}

/** What `systemd-analyze verify` complains about in units that are installed in the node; empty when nothing. */
export async function complaintsAbout(node: Node, units: readonly string[]): Promise<string> {
  const files = await Promise.all(units.map((unit) => fileOf(node, unit)));
  const ran = await node.exec(["systemd-analyze", "verify", "--man=no", ...files]);
  return `${ran.stdout}${ran.stderr}`.trim();
}

const fileOf = async (node: Node, unit: string): Promise<string> =>
  (await node.systemctl("show", "--property=FragmentPath", "--value", unit)).trim();
