/** Numbers as people read them. */

/** "2.1 GB", "340 MB". */
export function bytesText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${Math.round(bytes / 1e6)} MB`;
}

/** "3 d", "2 h", "5 min", "12 s": how long something lasts, roughly. */
export function spanText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** "2027-03-01". */
export const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** "1 path", "3 paths". */
export const count = (number: number, one: string, many: string): string =>
  `${number} ${number === 1 ? one : many}`;

export const DAY_MS = 86_400_000;
