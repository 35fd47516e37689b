/**
 * The one range of bytes that a `Range` header asks for. `whole` for none, for several, and for what cannot be
 * read, as a server may always answer; `unsatisfiable` when it begins behind the end.
 * Source: RFC 9110, 14.1.2 and 14.2.
 */
export function byteRange(
  header: string | undefined,
  size: number,
): "whole" | "unsatisfiable" | { readonly start: number; readonly end: number } {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return "whole";
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return "whole";
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return "whole";
  return start >= size ? "unsatisfiable" : { start, end };
}
