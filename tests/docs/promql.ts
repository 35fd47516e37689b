/** What an expression of Prometheus names: metrics, with the labels that are asked of them. Reads as much as rules need. */
export type Named = {
  readonly name: string;
  /** Label, operator, value. */
  readonly matchers: readonly (readonly [string, string, string])[];
};

export type Expression = {
  readonly metrics: readonly Named[];
  /** Labels that results are grouped or matched by. */
  readonly labels: readonly string[];
};

const TOKEN =
  /\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:$][\w:]*|\d[\w.]*|=~|!~|!=|==|>=|<=|[-+*/%^><=(){},]/y;
const WORDS = ["and", "or", "unless", "bool", "offset", "group_left", "group_right"];
const GROUPING = ["by", "without", "on", "ignoring"];

/** Throws on what is no expression. */
export function readExpression(text: string): Expression {
  const tokens = tokensOf(text);
  const metrics: Named[] = [];
  const labels: string[] = [];
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const next = tokens[at + 1];
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (depth < 0) throw new Error(`a bracket too many in ${text}`);
    if (!/^[a-zA-Z_:]/.test(token)) continue;
    if (GROUPING.includes(token)) {
      const end = tokens.indexOf(")", at);
      labels.push(...tokens.slice(at + 2, end).filter((each) => each !== ","));
      at = end;
    } else if (next !== "(" && !WORDS.includes(token) && !isGroupedFunction(next)) {
      const end = next === "{" ? tokens.indexOf("}", at) : at;
      metrics.push({ name: token, matchers: matchersOf(tokens.slice(at + 2, end)) });
      at = end;
    }
  }
  if (depth !== 0) throw new Error(`a bracket too few in ${text}`);
  return { metrics, labels };
}

/** `sum by (le) (…)`: the word before is a function as well. */
const isGroupedFunction = (next: string | undefined): boolean => next === "by" || next === "without";

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const [token] = TOKEN.exec(text) ?? [];
    if (token === undefined) throw new Error(`cannot be read from ${JSON.stringify(text.slice(from))}`);
    if (token.trim() !== "" && !token.startsWith("[")) tokens.push(token);
  }
  return tokens;
}

function matchersOf(tokens: readonly string[]): [string, string, string][] {
  const matchers: [string, string, string][] = [];
  for (let at = 0; at < tokens.length; at += 4) {
    const [label = "", operator = "", value = ""] = tokens.slice(at, at + 3);
    if (!/^(=|!=|=~|!~)$/.test(operator)) throw new Error(`${label} is asked for by ${operator}`);
    matchers.push([label, operator, JSON.parse(value) as string]);
  }
  return matchers;
}
