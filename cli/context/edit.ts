/** Changes to the text of the settings file that leave everything else of it as it is, comments too. */
import { stringify } from "smol-toml";
import { snakeCase } from "../../protocol/settings-schema.ts";
import type { Place } from "./settings.ts";

const header = (name: string): string => `[contexts.${name}]`;

/** With this context at the end, in place of one of the same name. */
export function withContext(text: string, name: string, place: Place): string {
  const rest = withoutContext(text, name).trimEnd();
  const written = Object.fromEntries(Object.entries(place).map(([key, value]) => [snakeCase(key), value]));
  return `${rest}${rest === "" ? "" : "\n\n"}${header(name)}\n${stringify(written).trimEnd()}\n`;
}

/** Without this context. What its table holds goes, up to the next one and the comments above that. */
export function withoutContext(text: string, name: string): string {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => tableOf(line) === `contexts.${name}`);
  if (from === -1) return text;
  const next = lines.findIndex((line, index) => index > from && tableOf(line) !== null);
  let until = next === -1 ? lines.length : next;
  while (next !== -1 && lines[until - 1]?.startsWith("#") === true) until--;
  lines.splice(from, until - from);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** With this context as the one that is used; null for none. */
export function withCurrent(text: string, name: string | null): string {
  const lines = text.split("\n");
  const firstTable = lines.findIndex((line) => tableOf(line) !== null);
  const top = firstTable === -1 ? lines.length : firstTable;
  const at = lines.findIndex((line, index) => index < top && /^\s*context\s*=/.test(line));
  const wanted = name === null ? [] : [`context = ${JSON.stringify(name)}`];
  if (at !== -1) lines.splice(at, 1, ...wanted);
  else lines.unshift(...wanted);
  return lines.join("\n");
}

/** The table that a line opens; null for any other line. */
function tableOf(line: string): string | null {
  const inside = /^\s*\[\s*([^\]]+?)\s*\]\s*(#.*)?$/.exec(line)?.[1];
  return inside === undefined ? null : inside.replace(/\s*\.\s*/g, ".").replaceAll('"', "");
}
