const MAX_LINE = 4_000;

/**
 * Cuts what a program prints into lines. A line longer than 4000 characters is cut there; `end` gives out what has
 * no newline yet.
 */
export function createLineCutter(line: (text: string) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  const cut = () => {
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) line(text.replace(/\r$/, "").slice(0, MAX_LINE));
    if (rest.length > MAX_LINE) {
      line(rest.slice(0, MAX_LINE));
      rest = "";
    }
  };
  return {
    write: (chunk: Uint8Array) => {
      rest += decoder.decode(chunk, { stream: true });
      cut();
    },
    end: () => {
      if (rest !== "") line(rest);
      rest = "";
    },
  };
}

/** Keeps the last `limit` lines. */
export function createTail(limit: number) {
  const lines: string[] = [];
  return {
    add: (text: string) => {
      lines.push(text);
      if (lines.length > limit) lines.shift();
    },
    lines: (): readonly string[] => lines,
  };
}
