/**
 * Expected outcomes are values. A function that may fail in a way its caller must handle returns a `Result`;
 * exceptions are left for bugs and input/output faults.
 */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });

export const err = <E>(error: E): Result<never, E> => ({ ok: false, error });

/**
 * What went wrong, for a person and for a program: a stable code, what happened, what was left as it was and
 * what to do. `context` holds the numbers and names that the sentences mention.
 */
export type Fault<Code extends string = string> = {
  readonly code: Code;
  /** What happened, one sentence. */
  readonly message: string;
  /** What to do about it, one sentence; empty when nothing can be done by the reader. */
  readonly hint?: string;
  readonly context?: Readonly<Record<string, string | number | boolean | null>>;
};

/** A `Fault` where only an exception can travel, such as out of a stream. `cause` keeps the original. */
export class FaultError<Code extends string = string> extends Error {
  readonly fault: Fault<Code>;
  constructor(fault: Fault<Code>, options?: { cause?: unknown }) {
    super(fault.hint === undefined ? fault.message : `${fault.message} ${fault.hint}`, options);
    this.name = "FaultError";
    this.fault = fault;
  }
}
