/** Whether both say the same, of what was JSON. Far quicker than to make JSON of both again. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every((key) => key in b && isSame(memberOf(a, key), memberOf(b, key)))
  );
}

const memberOf = (of: object, key: string): unknown => (of as Readonly<Record<string, unknown>>)[key];
