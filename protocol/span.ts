const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of "90s", "15m", "12h" or "30d", as people give times on a command line; null for anything else. */
export function parseSpan(text: string): number | null {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (match?.[1] === undefined) return null;
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
