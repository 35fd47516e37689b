/**
 * Turns a text that was captured from a terminal into an SVG, for the pictures in the docs:
 *
 *   script -qec "npm run demo --silent" /dev/null > capture
 *   node docs/images/terminal-svg.ts --title "npm run demo" --lines 2-80 < capture > docs/images/rollout.svg
 *
 * `script` gives the command a terminal, so that it colours and draws over its lines. `--lines 3-20` takes only
 * these, counted from 1 after wrapping; `--columns` says where lines wrap (100).
 */
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Row, type Style, screenOf, wrapped } from "./terminal-screen.ts";

/** Size of a cell and of the window around the cells, in pixels. */
const CELL = { width: 8.4, height: 20 };
const FONT_SIZE = 14;
const MARGIN = { side: 16, top: 44, bottom: 16 };
const MIN_COLUMNS = 40;
const INK = "#e6edf3";

export type Picture = {
  readonly title: string;
  readonly lines?: { readonly first: number; readonly last: number };
  /** Where lines wrap. */
  readonly columns?: number;
};

/** The SVG of a capture: a dark window that looks the same on a light page and a dark one. */
export function terminalSvg(capture: string, { title, lines, columns: most }: Picture): string {
  const all = screenOf(capture).flatMap((row) => wrapped(row, most ?? row.length));
  const rows = lines === undefined ? all : all.slice(lines.first - 1, lines.last);
  const columns = Math.max(MIN_COLUMNS, ...rows.map((row) => row.length));
  const width = Math.ceil(2 * MARGIN.side + columns * CELL.width);
  const height = MARGIN.top + rows.length * CELL.height + MARGIN.bottom;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map(
      (color, index) => `<circle cx="${MARGIN.side + 6 + index * 20}" cy="20" r="6" fill="${color}"/>`,
    ),
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" fill="${INK}">`,
    `<text x="${width / 2}" y="25" text-anchor="middle" fill="#8b949e">${escaped(title)}</text>`,
    ...rows.flatMap((row, index) => runsOf(row).map((run) => drawRun(run, index))),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

type Run = { readonly column: number; cells: number; text: string; readonly style: Style };

/**
 * Neighbouring cells of one style. What is not ASCII begins and ends a run: a font may have none of these, and a
 * replacement of another width must not push what follows.
 */
function runsOf(row: Row): readonly Run[] {
  const runs: Run[] = [];
  row.forEach(({ character, style }, column) => {
    const last = runs.at(-1);
    const joins =
      last !== undefined && isAscii(last.text) && isAscii(character) && sameStyle(last.style, style);
    if (joins) {
      last.text += character;
      last.cells += 1;
    } else {
      runs.push({ column, cells: 1, text: character, style });
    }
  });
  return runs.filter((run) => run.text.trim() !== "" || run.style.background !== null);
}

function drawRun({ column, cells, text: drawn, style }: Run, row: number): string {
  const x = round(MARGIN.side + column * CELL.width);
  const y = MARGIN.top + row * CELL.height;
  const width = round(cells * CELL.width);
  const attributes = [
    `x="${x}" y="${y + 15}"`,
    isAscii(drawn) ? `textLength="${width}" lengthAdjust="spacingAndGlyphs"` : "",
    style.color === null ? "" : `fill="${style.color}"`,
    style.bold ? 'font-weight="bold"' : "",
    style.dim ? 'opacity="0.6"' : "",
    style.underline ? 'text-decoration="underline"' : "",
  ].filter((attribute) => attribute !== "");
  const behind =
    style.background === null
      ? ""
      : `<rect x="${x}" y="${y}" width="${width}" height="${CELL.height}" fill="${style.background}"/>`;
  return `${behind}<text ${attributes.join(" ")} xml:space="preserve">${escaped(drawn)}</text>`;
}

const isAscii = (drawn: string): boolean => /^[ -~]*$/.test(drawn);

const sameStyle = (a: Style, b: Style): boolean =>
  a.color === b.color &&
  a.background === b.background &&
  a.bold === b.bold &&
  a.dim === b.dim &&
  a.underline === b.underline;

const round = (value: number): number => Math.round(value * 10) / 10;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (raw: string): string => raw.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      title: { type: "string", default: "baton" },
      lines: { type: "string" },
      columns: { type: "string", default: "100" },
    },
  });
  const [, first, last] = /^(\d+)-(\d+)$/.exec(values.lines ?? "") ?? [];
  if (values.lines !== undefined && first === undefined) {
    process.stderr.write("--lines is written like 3-20.\n");
    process.exit(2);
  }
  const range = first === undefined ? {} : { lines: { first: Number(first), last: Number(last) } };
  const picture = { title: values.title, columns: Number(values.columns) || 100, ...range };
  process.stdout.write(terminalSvg(await text(process.stdin), picture));
}
