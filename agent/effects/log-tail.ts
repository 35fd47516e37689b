/** The last lines of the agent's own log and of its workload's output, in memory, for a diagnosis. */
export type LogTail = {
  add(line: string): void;
  /** The newest, oldest first: `workload` for what the workload printed, `agent` for everything else. */
  newest(whose: "agent" | "workload"): readonly string[];
};

const MAX_LINES = 60;
const MAX_LENGTH = 1_000;

export function createLogTail(limit = MAX_LINES): LogTail {
  const kept = { agent: [] as string[], workload: [] as string[] };
  return {
    add: (line) => {
      const { whose, text } = readable(line);
      const lines = kept[whose];
      lines.push(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text);
      if (lines.length > limit) lines.shift();
    },
    newest: (whose) => [...kept[whose]],
  };
}

/** A line of the log as a person reads it: time, level, sentence, and the fields behind. */
function readable(line: string): { whose: "agent" | "workload"; text: string } {
  const entry = parsed(line);
  if (entry === null) return { whose: "agent", text: line.trimEnd() };
  const { time, level, msg, source, ...fields } = entry;
  if (source === "workload") return { whose: "workload", text: `${String(time)} ${String(msg)}` };
  const more = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
  return { whose: "agent", text: `${String(time)} ${String(level)} ${String(msg)}${more}` };
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
}
