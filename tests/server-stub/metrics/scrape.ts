/** Reads Prometheus's text format. */
export type Scraped = {
  /** By the metric's name, without what histograms add to it: its kind. */
  readonly kinds: ReadonlyMap<string, string>;
  /** Every series: name, labels, value. */
  readonly series: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
};

export function readScrape(text: string): Scraped {
  const kinds = new Map<string, string>();
  const series: Scraped["series"][number][] = [];
  for (const line of text.split("\n")) {
    const kind = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (kind !== null) kinds.set(kind[1] ?? "", kind[2] ?? "");
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (line.startsWith("#") || sample === null) continue;
    const [, name = "", labels = "", value = ""] = sample;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", said = ""]) => [
      key,
      said,
    ]);
    series.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
  }
  return { kinds, series };
}

/** The value of the one series with these labels; null when it is not there. */
export const numberOf = (
  { series }: Scraped,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null =>
  series.find(
    (each) => each.name === name && Object.entries(labels).every(([key, said]) => each.labels[key] === said),
  )?.value ?? null;
