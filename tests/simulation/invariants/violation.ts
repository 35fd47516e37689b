/** Something that must never be so, and is: the history fails by it. `rule` is what a shrunk history must fail by too. */
export class Violation extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.name = "Violation";
    this.rule = rule;
  }
}
