/** What is written of alerts. */
import type { AlertKind } from "../../protocol/alert.ts";
import type { EpochMs } from "../../protocol/time.ts";

export type AlertChange =
  /** Opens an alert, unless one of its kind and subject is open. */
  | {
      readonly kind: "raise";
      readonly alert: AlertKind;
      readonly subject: string;
      readonly message: string;
      readonly at: EpochMs;
    }
  /** Closes the open alert of that kind and subject, if there is one. `because`: what resolved it, a sentence. */
  | {
      readonly kind: "resolve";
      readonly alert: AlertKind;
      readonly subject: string;
      readonly at: EpochMs;
      readonly because?: string;
    }
  /** Notes who has taken an alert on, unless somebody has. */
  | {
      readonly kind: "acknowledge";
      readonly id: number;
      readonly by: string;
      readonly note: string | null;
      readonly at: EpochMs;
    };

const KINDS: readonly string[] = ["raise", "resolve", "acknowledge"] satisfies AlertChange["kind"][];

export const isAlertChange = <C extends { readonly kind: string }>(
  change: C,
): change is Extract<C, AlertChange> => KINDS.includes(change.kind);

/** Which alerts, newest first. */
export type AlertFilter = {
  readonly state: "open" | "all";
  readonly kind?: AlertKind | undefined;
  /** Only those with a lower id. */
  readonly before?: number | undefined;
  readonly limit: number;
};
