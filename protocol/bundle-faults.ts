import { err, type Fault, type Result } from "./result.ts";

/** Everything for which a bundle is refused. */
export type BundleFaultCode =
  | "bundle-path-absolute"
  | "bundle-path-parent"
  | "bundle-path-form"
  | "bundle-path-encoding"
  | "bundle-path-control"
  | "bundle-path-length"
  | "bundle-path-depth"
  | "bundle-path-reserved"
  | "bundle-orphan"
  | "bundle-beneath-link"
  | "bundle-duplicate"
  | "bundle-collision"
  | "bundle-link-escapes"
  | "bundle-hard-link"
  | "bundle-device"
  | "bundle-fifo"
  | "bundle-kind"
  | "bundle-setuid"
  | "bundle-mode"
  | "bundle-entries"
  | "bundle-file-size"
  | "bundle-total-size"
  | "bundle-ratio"
  | "bundle-corrupt"
  | "bundle-trailing"
  | "bundle-version-json"
  | "bundle-entry-missing"
  | "bundle-hash"
  | "bundle-wrong-build"
  | "bundle-wrong-platform";

export type BundleFault = Fault<BundleFaultCode>;

export type Refusal = Result<never, BundleFault>;

/** A fault of a bundle; `entry` is escaped, since it comes from whoever made the archive. */
export function bundleFault(code: BundleFaultCode, what: string, entry?: string): Refusal {
  const hint = "Nothing of the bundle was kept; make it again with `baton bundle`.";
  if (entry === undefined) return err({ code, message: `The bundle ${what}.`, hint });
  const shown = showName(entry);
  return err({ code, message: `The bundle's entry ${shown} ${what}.`, hint, context: { entry: shown } });
}

/** A name from outside, safe to print: quoted, everything but printable ASCII escaped, cut after 200 characters. */
export function showName(name: string): string {
  const escaped = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
  return escaped.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
