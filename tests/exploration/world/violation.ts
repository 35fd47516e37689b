/** Something that must never be. Thrown by the step that does it, and by the checks of a state. */
export class Violation extends Error {
  readonly invariant: string;
  constructor(invariant: string, message: string) {
    super(message);
    this.name = "Violation";
    this.invariant = invariant;
  }
}

export function violated(invariant: string, message: string): never {
  throw new Violation(invariant, message);
}
