import { type Fault, FaultError } from "../../protocol/result.ts";
import { hasCode } from "./durable.ts";

/**
 * What an error of the disk means for the update that met it: an expected outcome, since disks do fill up.
 * Codes: `disk-full`, `disk-denied`, `disk-failed`, or that of a `FaultError`.
 */
export function diskFault(cause: unknown, what: string): Fault {
  if (cause instanceof FaultError) return cause.fault;
  const said = cause instanceof Error ? cause.message : String(cause);
  if (hasCode(cause, "ENOSPC") || hasCode(cause, "EDQUOT")) {
    return {
      code: "disk-full",
      message: `There is no space left to ${what}; what was there stands.`,
      hint: "Free some space or inodes in the state directory.",
    };
  }
  if (hasCode(cause, "EROFS") || hasCode(cause, "EACCES") || hasCode(cause, "EPERM")) {
    return {
      code: "disk-denied",
      message: `The state directory may not be written to ${what} (${said}).`,
      hint: "It must belong to the service's user and be writable.",
    };
  }
  return {
    code: "disk-failed",
    message: `It was not possible to ${what} (${said}).`,
    hint: "Look at the machine's disks.",
  };
}
