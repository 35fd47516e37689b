import type { Fault, Result } from "../protocol/result.ts";
import type { Addresses } from "./session/addresses.ts";

/**
 * Asks one coordinator after the other, the current one first, until one gives what is asked for, or all have failed
 * to, or a fault `isFinal`. One that is broken, frozen or hostile so keeps nobody from what the others have.
 * Answers what was given, or the last fault; the address that gave it is the current one then.
 * Source: TUF, "malicious mirrors preventing updates".
 */
export async function askAll<T, F extends Fault>(
  addresses: Addresses,
  isFinal: (fault: F) => boolean,
  ask: (server: string) => Promise<Result<T, F>>,
): Promise<Result<T, F>> {
  const first = addresses.current();
  for (;;) {
    const server = addresses.current();
    const result = await ask(server);
    if (result.ok || isFinal(result.error)) return result;
    addresses.failed(server);
    if (addresses.current() === first) return result;
  }
}
