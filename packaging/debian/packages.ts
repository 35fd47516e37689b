/** What lies where in the two packages. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SCRIPTS } from "../../cli/completion/scripts.ts";
import { type Deb, type Entry, gzipped } from "./deb.ts";

/** What was built beforehand, by path. */
export type Built = {
  readonly root: string;
  readonly version: string;
  readonly arch: string;
  /** The private runtime, without its symbols. */
  readonly runtime: string;
  readonly runtimeLicense: string;
  readonly agentDir: string;
  readonly coordinatorDir: string;
  readonly batonDir: string;
  readonly seedBundle: string;
  readonly agentConfig: string;
  readonly coordinatorConfig: string;
  /** Builds a file with these bytes and returns its path. */
  scratch(name: string, content: Buffer): Promise<string>;
};

export async function agentPackage(built: Built): Promise<Deb> {
  const packaging = join(built.root, "packaging");
  const entries: Entry[] = [
    { path: "usr/lib/baton/node", from: built.runtime, mode: 0o755 },
    { path: "usr/lib/baton", tree: built.agentDir },
    { path: "usr/lib/baton/agent-guard", from: join(packaging, "guard/agent-guard"), mode: 0o755 },
    { path: "usr/lib/baton/agent-launch", from: join(packaging, "guard/agent-launch"), mode: 0o755 },
    { path: "usr/lib/baton/seed.tar.zst", from: built.seedBundle },
    { path: "usr/bin/agent", text: wrapper("/usr/lib/baton", "agent.mjs"), mode: 0o755 },
    ...["baton-agent.service", "baton-agent-deadline.service", "baton-agent-deadline.timer"].map((unit) => ({
      path: `lib/systemd/system/${unit}`,
      from: join(packaging, "systemd", unit),
    })),
    {
      path: "usr/lib/sysusers.d/baton-agent.conf",
      from: join(packaging, "systemd/sysusers.d/baton-agent.conf"),
    },
    {
      path: "usr/lib/tmpfiles.d/baton-agent.conf",
      from: join(packaging, "systemd/tmpfiles.d/baton-agent.conf"),
    },
    { path: "usr/share/doc/baton-agent/drop-ins", tree: join(packaging, "systemd/drop-ins") },
    { path: "etc/baton/agent.toml", text: built.agentConfig },
    overrides("baton-agent", "usr/lib/baton"),
    ...(await docs(built, "baton-agent", ["agent"])),
  ];
  return deb(built, "baton-agent", entries);
}

export async function coordinatorPackage(built: Built): Promise<Deb> {
  const packaging = join(built.root, "packaging");
  const home = "usr/lib/baton-coordinator";
  const entries: Entry[] = [
    { path: `${home}/node`, from: built.runtime, mode: 0o755 },
    { path: home, tree: built.coordinatorDir },
    { path: home, tree: built.batonDir },
    // What `baton bundle` adds to a workload.
    { path: `${home}/agent`, tree: built.agentDir },
    { path: "usr/bin/coordinator", text: wrapper(`/${home}`, "coordinator.mjs"), mode: 0o755 },
    { path: "usr/bin/baton", text: wrapper(`/${home}`, "baton.mjs"), mode: 0o755 },
    {
      path: "lib/systemd/system/baton-coordinator.service",
      from: join(packaging, "systemd/baton-coordinator.service"),
    },
    {
      path: "usr/lib/sysusers.d/baton-coordinator.conf",
      from: join(packaging, "systemd/sysusers.d/baton-coordinator.conf"),
    },
    {
      path: "usr/lib/tmpfiles.d/baton-coordinator.conf",
      from: join(packaging, "systemd/tmpfiles.d/baton-coordinator.conf"),
    },
    { path: "etc/baton/coordinator.toml", text: built.coordinatorConfig },
    ...completions(),
    overrides("baton-coordinator", home),
    ...(await docs(built, "baton-coordinator", ["coordinator", "baton"])),
  ];
  return deb(built, "baton-coordinator", entries);
}

const deb = (built: Built, name: string, entries: readonly Entry[]): Deb => ({
  name,
  version: built.version,
  arch: built.arch,
  scripts: join(built.root, "packaging/debian", name),
  entries,
});

/** By which the shells complete `baton`, where each of them looks. */
const completions = (): readonly Entry[] => [
  { path: "usr/share/bash-completion/completions/baton", text: SCRIPTS.bash },
  { path: "usr/share/zsh/vendor-completions/_baton", text: SCRIPTS.zsh },
  { path: "usr/share/fish/vendor_completions.d/baton.fish", text: SCRIPTS.fish },
];

/** Commands on the PATH run from the package's own folder, never from `dist/`. */
const wrapper = (home: string, program: string): string =>
  `#!/bin/sh\nexec ${home}/node ${home}/${program} "$@"\n`;

/**
 * What lintian finds and is meant so. The runtime is carried as its makers built it, libraries and all, so that every
 * node runs the very one that was tested; and the programs are run on it by the commands in `/usr/bin`, and the
 * service by the units, never by themselves.
 */
const overrides = (name: string, home: string): Entry => ({
  path: `usr/share/lintian/overrides/${name}`,
  text: [
    `embedded-library * [${home}/node]`,
    `hardening-no-pie [${home}/node]`,
    `script-not-executable [${home}/*.mjs]`,
    // Not dh_installsystemd's snippets: they would restart the agent without a lease.
    "maintainer-script-calls-systemctl *",
  ]
    .map((what) => `${name}: ${what}\n`)
    .join(""),
});

async function docs(built: Built, name: string, commands: readonly string[]): Promise<Entry[]> {
  const at = `usr/share/doc/${name}`;
  const changelog = await readFile(join(built.root, "CHANGELOG.md"));
  const debianChangelog = `${name} (${built.version}) stable; urgency=medium\n\n  * See CHANGELOG.md beside this file for what changed.\n\n -- Baton maintainers <maintainers@baton.example>  Sat, 21 Nov 2026 00:00:00 +0000\n`;
  const pages = await Promise.all(
    commands.map(async (command) => ({
      path: `usr/share/man/man1/${command}.1.gz`,
      from: await built.scratch(
        `${command}.1.gz`,
        gzipped(await readFile(join(built.root, `packaging/debian/man/${command}.1`))),
      ),
    })),
  );
  return [
    { path: `${at}/copyright`, from: join(built.root, "packaging/debian/copyright") },
    {
      path: `${at}/changelog.gz`,
      from: await built.scratch(`${name}.changelog.gz`, gzipped(debianChangelog)),
    },
    {
      path: `${at}/CHANGELOG.md.gz`,
      from: await built.scratch(`${name}.CHANGELOG.md.gz`, gzipped(changelog)),
    },
    {
      path: `${at}/node-LICENSE.gz`,
      from: await built.scratch("node-LICENSE.gz", gzipped(await readFile(built.runtimeLicense))),
    },
    ...pages,
  ];
}
