/** What a process did to the files below a directory, by the word of strace and of nobody else. */
import { isAbsolute } from "node:path";

export type Syscall =
  | {
      readonly kind: "create" | "write" | "fsync" | "unlink" | "mkdir" | "rmdir" | "symlink";
      readonly path: string;
    }
  | { readonly kind: "rename"; readonly from: string; readonly path: string };

const TRACED = [
  "open,openat,creat,write,writev,pwrite64,pwritev,ftruncate,fchmod,fsync,fdatasync",
  "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,symlink,symlinkat,link,linkat",
].join(",");

/** The command that traces another one into a file. */
export const straceInto = (file: string): readonly string[] => [
  "strace",
  "-f",
  "-qq",
  "-y",
  "-s0",
  "--seccomp-bpf",
  `--trace=${TRACED}`,
  "-o",
  file,
];

/** In the order in which they ended. Those that failed, and those elsewhere, are left out. */
export function readSyscalls(trace: string, below: string): Syscall[] {
  const unfinished = new Map<string, string>();
  const calls: Syscall[] = [];
  for (const line of trace.split("\n")) {
    const [, pid = "", said = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(said)?.[1];
    if (begun !== undefined) {
      unfinished.set(pid, begun);
      continue;
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(said)?.[1];
    const whole = rest === undefined ? said : `${unfinished.get(pid) ?? ""}${rest}`;
    const call = readCall(whole, below);
    if (call !== null) calls.push(call);
  }
  return calls;
}

function readCall(text: string, below: string): Syscall | null {
  const [, name = "", args = "", result = ""] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? [];
  if (result === "" || result.startsWith("-")) return null;
  const isOurs = (path: string) => path === below || path.startsWith(`${below}/`);
  const plain = (path: string) => path.slice(below.length + 1);
  const quoted = [...args.matchAll(/"([^"]*)"/g)].flatMap(([, path = ""]) =>
    isAbsolute(path) ? [path] : [],
  );
  const opened = /^\d+<([^>]*)>/.exec(args)?.[1];
  const kind = KINDS[name];
  if (kind === undefined) return null;
  if (kind === "rename") {
    const [from = "", to = ""] = quoted;
    return isOurs(from) && isOurs(to) ? { kind, from: plain(from), path: plain(to) } : null;
  }
  if (kind === "create" && !args.includes("O_CREAT")) return null;
  const path = kind === "write" || kind === "fsync" ? opened : quoted.at(-1);
  return path !== undefined && isOurs(path)
    ? { kind: args.includes("AT_REMOVEDIR") ? "rmdir" : kind, path: plain(path) }
    : null;
}

const KINDS: Readonly<Record<string, Syscall["kind"]>> = {
  open: "create",
  openat: "create",
  creat: "create",
  write: "write",
  writev: "write",
  pwrite64: "write",
  pwritev: "write",
  ftruncate: "write",
  fchmod: "write",
  fsync: "fsync",
  fdatasync: "fsync",
  rename: "rename",
  renameat: "rename",
  renameat2: "rename",
  unlink: "unlink",
  unlinkat: "unlink",
  mkdir: "mkdir",
  mkdirat: "mkdir",
  rmdir: "rmdir",
  symlink: "symlink",
  symlinkat: "symlink",
};
