import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL("../../packaging/systemd/", import.meta.url));
const unit = (name: string): Unit => new Unit(readFileSync(`${folder}${name}`, "utf8"));

/** A unit file, as far as these tests read one: the values of a key in a section, in their order. */
class Unit {
  readonly #lines: readonly { readonly section: string; readonly key: string; readonly value: string }[];

  constructor(text: string) {
    let section = "";
    this.#lines = text.split("\n").flatMap((line) => {
      if (line.startsWith("[")) section = line.slice(1, line.indexOf("]"));
      const at = line.indexOf("=");
      if (line === "" || /^[#;[]/.test(line) || at < 0) return [];
      return [{ section, key: line.slice(0, at), value: line.slice(at + 1) }];
    });
  }

  values(section: string, key: string): readonly string[] {
    return this.#lines
      .filter((line) => line.section === section && line.key === key)
      .map(({ value }) => value);
  }

  get keys(): readonly string[] {
    return this.#lines.map(({ section, key }) => `${section}.${key}`);
  }
}

describe("baton-agent.service", () => {
  const agent = unit("baton-agent.service");

  // Each of these was learned the hard way (docs/adr/0010 to 0013).
  test.each([
    ["Unit", "StartLimitIntervalSec", ["0"]],
    ["Service", "StartLimitIntervalSec", []],
    ["Service", "Type", ["notify"]],
    ["Service", "NotifyAccess", ["all"]],
    ["Service", "Restart", ["always"]],
    ["Service", "SuccessExitStatus", ["75"]],
    ["Service", "TimeoutStartSec", ["20"]],
    ["Service", "User", ["baton-agent"]],
    ["Service", "ExecStartPre", ["-/usr/lib/baton/agent-guard start"]],
    ["Service", "ExecStart", ["/usr/lib/baton/agent-launch"]],
    ["Service", "ExecStop", ["-/usr/lib/baton/agent-guard stop"]],
    ["Service", "RuntimeDirectoryPreserve", ["restart"]],
    ["Service", "MemoryDenyWriteExecute", []],
    ["Service", "ProcSubset", []],
    ["Unit", "Wants", ["baton-agent-deadline.timer"]],
  ])("[%s] %s is %j", (section, key, expected) => {
    expect(agent.values(section, key)).toEqual(expected);
  });

  test("nothing in it runs as root", () => {
    const commands = agent.keys.filter((key) => key.startsWith("Service.Exec")).map((key) => key.slice(8));
    expect(commands.length).toBeGreaterThan(2);
    for (const key of commands)
      for (const value of agent.values("Service", key)) expect(value).not.toMatch(/^[-@:]*[+!]/);
  });
});

describe("the deadline", () => {
  const timer = unit("baton-agent-deadline.timer");
  const service = unit("baton-agent-deadline.service");

  test("the condition is the service's: a timer's own is evaluated only once", () => {
    expect(service.values("Unit", "ConditionPathExists")).toEqual(["/var/lib/baton-agent/state/trial"]);
    expect(timer.keys.filter((key) => key.includes("Condition"))).toEqual([]);
  });

  test("as root runs only what looks at no file of the agent's user", () => {
    expect(service.values("Service", "ExecStart")).toEqual([
      "-/usr/lib/baton/agent-guard deadline",
      "+/usr/lib/baton/agent-guard revive",
    ]);
    const guard = readFileSync(new URL("../../packaging/guard/agent-guard", import.meta.url), "utf8");
    const revive = /^revive\(\) \{\n(?<body>[^}]*)^\}/m.exec(guard)?.groups?.body ?? "";
    expect(revive).toContain("systemctl start");
    expect(revive).not.toMatch(/state|trial|run_dir|cd /);
  });

  test("runs as the same user and with the same directories as the agent", () => {
    const agent = unit("baton-agent.service");
    for (const key of ["User", "Group", "Environment"]) {
      expect(service.values("Service", key)).toEqual(agent.values("Service", key));
    }
  });
});

test("baton-coordinator.service runs the package's own runtime and writes only its own directories", () => {
  const coordinator = unit("baton-coordinator.service");
  expect(coordinator.values("Service", "ExecStart")).toEqual([
    "/usr/lib/baton-coordinator/node /usr/lib/baton-coordinator/coordinator.mjs serve",
  ]);
  expect(coordinator.values("Service", "ProtectSystem")).toEqual(["strict"]);
  expect(coordinator.values("Service", "StateDirectory")).toEqual(["baton-coordinator"]);
  expect(coordinator.keys).not.toContain("Service.ReadWritePaths");
});

test("every user that a unit runs as is made by sysusers.d and owns its state by tmpfiles.d", () => {
  for (const name of ["baton-agent", "baton-coordinator"]) {
    expect(unit(`${name}.service`).values("Service", "User")).toEqual([name]);
    expect(readFileSync(`${folder}sysusers.d/${name}.conf`, "utf8")).toMatch(new RegExp(`^u ${name} `, "m"));
    expect(readFileSync(`${folder}tmpfiles.d/${name}.conf`, "utf8")).toMatch(
      new RegExp(`^d /var/lib/${name} 07[05]0 ${name} ${name} -$`, "m"),
    );
  }
});

test("every drop-in is in the table of its README, and none touches what going back depends on", () => {
  const readme = readFileSync(`${folder}drop-ins/README.md`, "utf8");
  const dropIns = readdirSync(`${folder}drop-ins`).filter((name) => name.endsWith(".conf"));
  expect(dropIns.length).toBeGreaterThan(5);
  for (const name of dropIns) {
    expect(readme).toContain(`\`${name}\``);
    const keys = unit(`drop-ins/${name}`).keys.join(" ");
    expect(keys).not.toMatch(/Exec|Service\.Type|Restart|SuccessExit|StartLimit/);
  }
});

test.each(["agent-guard", "agent-launch"])("%s is executable", (name) => {
  const { mode } = statSync(new URL(`../../packaging/guard/${name}`, import.meta.url));
  expect(mode & 0o111).toBe(0o111);
});
