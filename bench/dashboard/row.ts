import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Row } from "../row.ts";
import { spreadOf } from "../spread.ts";

const DIR = join(import.meta.dirname, "../../build/coordinator/dashboard");

/** What a dashboard may weigh that is there at once on a phone, kB. */
const MOST_KB = { js: 60, css: 12 } as const;

/** What a browser loads before it shows anything: all of the dashboard's scripts and styles, as gzip sends them. */
export const dashboardRow: Row = {
  names: ["dashboard-js", "dashboard-css"],
  seconds: 1,
  waits: false,
  measure: async () => [
    await lineOf("js", "all of its JavaScript"),
    await lineOf("css", "all of its styles"),
  ],
};

async function lineOf(kind: keyof typeof MOST_KB, what: string) {
  const entries = await readdir(DIR, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && extname(entry.name) === `.${kind}`);
  if (files.length === 0) throw new Error(`there is no .${kind} in ${DIR}`);
  const contents = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
  const bytes = contents.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
  return {
    name: `dashboard-${kind}`,
    what: `the dashboard: ${what}, gzipped`,
    beside: "what it may weigh",
    unit: "kB" as const,
    value: spreadOf([bytes / 1000]),
    peer: spreadOf([MOST_KB[kind]]),
    bound: 1,
    better: "lower" as const,
  };
}
