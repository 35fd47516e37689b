/** Reads the imports of the sources, and judges them by the directions in which they may run. Pure but for `readSources`. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

/** A source file by its path from the project's root, and what it imports of ours. */
export type Sources = ReadonlyMap<string, readonly string[]>;

/** Which rooms a room may import. A room is the longest of these prefixes that a file's path begins with. */
export const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  "protocol/": ["protocol/"],
  "agent/core/": ["agent/core/", "protocol/"],
  "agent/effects/": ["agent/effects/", "agent/core/", "protocol/"],
  "agent/session/": ["agent/session/", "agent/core/", "agent/effects/", "protocol/"],
  "agent/control/": ["agent/control/", "agent/core/", "agent/effects/", "protocol/"],
  "agent/workload/": ["agent/workload/", "agent/core/", "agent/effects/", "protocol/"],
  "agent/": ["agent/", "protocol/"],
  "server-stub/core/": ["server-stub/core/", "protocol/"],
  "server-stub/store/": ["server-stub/store/", "server-stub/core/", "protocol/"],
  "server-stub/repository/": ["server-stub/repository/", "server-stub/core/", "protocol/"],
  "server-stub/service/": [
    "server-stub/service/",
    "server-stub/store/",
    "server-stub/repository/",
    "server-stub/core/",
    "protocol/",
  ],
  "server-stub/replicas/": [
    "server-stub/replicas/",
    "server-stub/service/",
    "server-stub/core/",
    "protocol/",
  ],
  "server-stub/live/": ["server-stub/live/", "server-stub/service/", "server-stub/core/", "protocol/"],
  "server-stub/api/": ["server-stub/api/", "server-stub/service/", "server-stub/core/", "protocol/"],
  "server-stub/backup/": [
    "server-stub/backup/",
    "server-stub/service/",
    "server-stub/store/",
    "server-stub/repository/",
    "server-stub/core/",
    "protocol/",
  ],
  "server-stub/metrics/": [
    "server-stub/metrics/",
    "server-stub/service/",
    "server-stub/store/",
    "server-stub/core/",
    "protocol/",
  ],
  "server-stub/web/": ["server-stub/web/", "protocol/"],
  "server-stub/": ["server-stub/", "protocol/"],
  "cli/": ["cli/", "protocol/"],
  "packaging/": ["packaging/", "agent/", "server-stub/", "cli/", "protocol/"],
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^;"']*?\sfrom\s)?["'](\.{1,2}\/[^"']+)["']|\bimport\(\s*["'](\.{1,2}\/[^"']+)["']\s*\)/g;

/** The files of ours that `text`, lying at `path`, imports: static, re-exported and dynamic alike. */
export function importsOf(path: string, text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(IMPORT)) {
    const target = match[1] ?? match[2];
    if (target !== undefined) found.add(normalize(join(dirname(path), target)));
  }
  return [...found];
}

/** Every import that runs against the directions, as a sentence. */
export function wrongDirections(sources: Sources): string[] {
  const wrong: string[] = [];
  for (const [file, imports] of sources) {
    const room = roomOf(file);
    if (room === undefined) continue;
    const allowed = DIRECTIONS[room] ?? [];
    for (const target of imports) {
      const targetRoom = roomOf(target);
      // The root of agent/ and of server-stub/ is where things are put together: nothing below reaches up to it.
      const fine = targetRoom !== undefined && allowed.includes(targetRoom);
      const fromTheTop = room === "agent/" || room === "server-stub/" || room === "packaging/";
      const within = fromTheTop && allowed.some((prefix) => target.startsWith(prefix));
      if (!fine && !within) wrong.push(`${file} may not import ${target}`);
    }
  }
  return wrong.sort();
}

/** Every cycle of imports, each once, as the list of its files. */
export function cycles(sources: Sources): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      found.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of sources.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of sources.keys()) visit(file);
  return found;
}

export async function readSources(root: string): Promise<Sources> {
  const sources = new Map<string, readonly string[]>();
  for (const top of ["protocol", "agent", "server-stub", "cli", "packaging"]) {
    for (const entry of await readdir(join(root, top), { recursive: true })) {
      const path = join(top, entry);
      if (!/\.tsx?$/.test(path) || path.includes("node_modules")) continue;
      sources.set(path, importsOf(path, await readFile(join(root, path), "utf8")));
    }
  }
  return sources;
}

function roomOf(file: string): string | undefined {
  return Object.keys(DIRECTIONS)
    .filter((prefix) => file.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
}
