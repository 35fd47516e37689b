import type { Finding } from "../../protocol/finding.ts";
import { findingsOf } from "./finding.ts";

export type SettingsFacts = {
  readonly file: string;
  /** What is wrong with the file; null when it can be read. */
  readonly fault: { readonly message: string; readonly hint: string | null } | null;
  /** Variables of the environment that should name a proxy and do not. */
  readonly wrongProxies: readonly string[];
};

const { ok, warning, problem } = findingsOf("settings");

/** Whether the settings can be read. Where they cannot, everything else is looked at by the defaults. */
export function judgeSettings({ file, fault, wrongProxies }: SettingsFacts): Finding[] {
  const proxies = wrongProxies.map((name) =>
    warning(
      "proxy-malformed",
      `${name} in the environment is not the address of an HTTP proxy, and is not used.`,
      "Write it like http://proxy.example:3128, or set proxy in the settings.",
    ),
  );
  if (fault === null) return [ok("settings-ok", `${file} can be read.`), ...proxies];
  return [
    problem(
      "settings-wrong",
      `${fault.message} The agent does not start with these settings; what follows is looked at by the defaults.`,
      fault.hint ?? `Mend the lines that are named in ${file}, and say: agent config`,
    ),
    ...proxies,
  ];
}
