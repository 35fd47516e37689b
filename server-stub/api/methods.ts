/** The methods that are served at an address, for those that are not. */
export function methodsAt(routes: ReadonlyMap<string, ReadonlySet<string>>, url: string): readonly string[] {
  const path = url.split("?")[0] ?? "";
  const found = new Set<string>();
  for (const [pattern, methods] of routes) {
    if (!matches(pattern, path)) continue;
    for (const method of methods) found.add(method);
  }
  return [...found].sort();
}

/** Whether a path fits a pattern of `:name` parts and a last `*`. */
function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.at(-1) === "*" ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, index) => part === "*" || part.startsWith(":") || part === given[index]);
}
