/**
 * Where things stand in a TOML text. The parser says what a text means but not where; this finds the line of a
 * key, for error messages only. Keys inside an inline table or a multi-line array have the line of the key that
 * holds them.
 */
export type KeyLines = ReadonlyMap<string, number>;

/** The line (from 1) of every key and table header, by its path joined with dots. */
export function keyLines(text: string): KeyLines {
  const lines = new Map<string, number>();
  let table: readonly string[] = [];
  let closing: string | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    if (closing !== null) {
      if (line.includes(closing)) closing = null;
      continue;
    }
    const header = /^\s*\[{1,2}\s*(.+?)\s*\]{1,2}\s*(#.*)?$/.exec(line);
    if (header?.[1] !== undefined) {
      table = keyParts(header[1]);
      note(lines, table, index + 1);
      continue;
    }
    const pair =
      /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=\s*(.*)$/.exec(
        line,
      );
    if (pair?.[1] === undefined) continue;
    note(lines, [...table, ...keyParts(pair[1])], index + 1);
    closing = opensMany(pair[2] ?? "");
  }
  return lines;
}

function note(lines: Map<string, number>, path: readonly string[], line: number): void {
  const key = path.join(".");
  if (!lines.has(key)) lines.set(key, line);
}

const keyParts = (key: string): readonly string[] =>
  (key.match(/"[^"]*"|'[^']*'|[A-Za-z0-9_-]+/g) ?? []).map((part) => part.replace(/^["']|["']$/g, ""));

/** The quotes that end a multi-line string which `value` opens and does not close. */
function opensMany(value: string): string | null {
  for (const quotes of ['"""', "'''"]) {
    if (value.startsWith(quotes) && !value.slice(3).includes(quotes)) return quotes;
  }
  return null;
}
