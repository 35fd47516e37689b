/** "3 s", "4 min", "2 h", "5 d": a length of time for a glance. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** "12:04:09", local time. */
export const clockTime = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** An instant for people and machines alike, UTC. */
export const instant = (at: number | null): string =>
  at === null ? "-" : new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
