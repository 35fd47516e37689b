import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withContext, withCurrent, withoutContext } from "../../cli/context/edit.ts";
import { targetOf } from "../../cli/settings.ts";
import { type Baton, baton } from "./harness.ts";

const FILE = `# mine
context = "lab"

[contexts.lab]
url = "http://lab.example:8420" # the old one
token = "t-lab"

# the real one
[contexts.prod]
url = "https://prod.example"
ca_file = "/etc/prod.pem"
`;

describe("several coordinators", () => {
  let dir: string;
  let file: string;
  let env: Record<string, string>;
  let run: Baton;
  const write = async (text: string, mode = 0o600) => {
    await mkdir(join(dir, "baton"), { recursive: true });
    await writeFile(file, text, { mode });
    await chmod(file, mode);
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-context-"));
    file = join(dir, "baton", "config.toml");
    env = { XDG_CONFIG_HOME: dir };
    run = baton({ env });
  });
  afterEach(() => rm(dir, { recursive: true }));

  test.each<[string, Record<string, string>, object, object]>([
    ["the file's", {}, {}, { context: "lab", url: "http://lab.example:8420", token: "t-lab" }],
    [
      "--context",
      {},
      { context: "prod" },
      { context: "prod", url: "https://prod.example", caFile: "/etc/prod.pem" },
    ],
    ["BATON_CONTEXT", { BATON_CONTEXT: "prod" }, {}, { url: "https://prod.example", token: null }],
    [
      "BATON_URL before BATON_CONTEXT",
      { BATON_CONTEXT: "prod", BATON_URL: "http://e" },
      {},
      { url: "http://e" },
    ],
    [
      "--context before BATON_URL",
      { BATON_URL: "http://e" },
      { context: "prod" },
      { url: "https://prod.example" },
    ],
    [
      "--url before all",
      { BATON_URL: "http://e" },
      { context: "prod", url: "http://u" },
      { url: "http://u" },
    ],
    ["BATON_TOKEN", { BATON_TOKEN: "t-env" }, {}, { token: "t-env", tokenFrom: "BATON_TOKEN" }],
    ["a named context's own token", { BATON_TOKEN: "t-env" }, { context: "lab" }, { token: "t-lab" }],
    ["a named context without one", { BATON_TOKEN: "t-env" }, { context: "prod" }, { token: "t-env" }],
  ])("%s decides", async (_, more, options, expected) => {
    await write(FILE);
    expect(await targetOf({ ...env, ...more }, options)).toMatchObject(expected);
  });

  test("a context that is not there is told, with those that are", async () => {
    await write(FILE);
    expect(await run("nodes", "--context", "prd")).toMatchObject({
      status: 2,
      err: expect.stringMatching(/There is no context prd in .*\n.*lab, prod/),
    });
    await write(FILE.replace('context = "lab"', 'context = "old"'));
    expect((await run("nodes")).err).toContain(
      "config.toml:2: context: there is no [contexts.old] in this file.",
    );
    await write('[contexts.Prod]\nurl = "https://x"\n');
    expect((await run("nodes")).err).toContain(
      "config.toml:1: contexts.Prod: a context is called by small letters",
    );
    await write('[contexts.prod]\nulr = "https://x"\n');
    expect((await run("nodes")).err).toContain("Did you mean");
  });

  test("a file that holds a token is read by its owner alone; a token's own file is warned of", async () => {
    await write(FILE, 0o644);
    expect(await run("context", "list")).toMatchObject({
      status: 2,
      err: expect.stringContaining("others on this machine may read it"),
    });
    const tokenFile = join(dir, "token");
    await writeFile(tokenFile, "secret\n");
    await chmod(tokenFile, 0o644);
    await write(`url = "http://127.0.0.1:1"\ntoken_file = "${tokenFile}"\n`, 0o644);
    const warned = await run("nodes");
    expect(warned.err).toContain(`chmod 600 ${tokenFile}`);
    expect(warned.err).not.toContain("secret");
  });

  test("are added, listed, used, shown and removed, and the token stays a secret", async () => {
    expect((await run("context", "list")).out).toContain("No contexts.");
    const piped = baton({ env, input: "s3cret\n" });
    expect(
      await piped("context", "add", "prod", "--url", "https://p.example", "--token-stdin"),
    ).toMatchObject({
      status: 0,
      out: expect.stringContaining("Commands now speak to it."),
    });
    const asked = baton({ env, answer: "t0ps3cret" });
    expect((await asked("context", "add", "lab", "--url", "http://127.0.0.1:1")).status).toBe(0);
    const kept = join(dir, "baton", "prod.token");
    expect(await readFile(kept, "utf8")).toBe("s3cret\n");
    for (const path of [kept, file]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await run("context", "list")).out).toMatch(/\*\s+prod\s+https:\/\/p\.example.*\n\s+lab\s/);
    expect((await run("context", "use", "lab")).status).toBe(0);
    const shown = await run("context", "show");
    expect(shown.out).toMatch(/context\s+lab\naddress\s+http:\/\/127\.0\.0\.1:1\ntoken\s+from .*lab\.token/);
    const said = [await run("context", "list"), shown, await run("context", "show", "prod", "--json")];
    for (const { out } of said) expect(out).not.toMatch(/s3cret/);
    expect((await run("context", "remove", "lab")).out).toContain("Choose another");
    await expect(readFile(join(dir, "baton", "lab.token"))).rejects.toThrow("ENOENT");
    expect(await run("context", "use", "lab")).toMatchObject({ status: 2 });
    expect(await run("context", "add", "Prod!", "--url", "https://x")).toMatchObject({ status: 2 });
    expect(await run("context", "add", "x", "--url", "ftp://x")).toMatchObject({ status: 2 });
    expect(await run("context", "show", "--context", "x")).toMatchObject({ status: 2 });
  });
});

describe("changes to the settings file leave the rest of it as it is", () => {
  test("adding, choosing, taking away", () => {
    const added = withContext(FILE, "edge", { url: "https://e", tokenFile: "/t" });
    expect(added).toBe(`${FILE}\n[contexts.edge]\nurl = "https://e"\ntoken_file = "/t"\n`);
    expect(withoutContext(added, "edge")).toBe(FILE);
    expect(withCurrent(FILE, "prod")).toBe(FILE.replace('"lab"', '"prod"'));
    expect(withCurrent(FILE, null)).toBe(FILE.replace('context = "lab"\n', ""));
    expect(withCurrent('[contexts.a]\ncontext = "no"\n', "a")).toBe(
      'context = "a"\n[contexts.a]\ncontext = "no"\n',
    );
    expect(withoutContext(FILE, "lab")).toBe(
      '# mine\ncontext = "lab"\n\n# the real one\n[contexts.prod]\nurl = "https://prod.example"\nca_file = "/etc/prod.pem"\n',
    );
    expect(withoutContext(FILE, "nobody")).toBe(FILE);
  });

  test("a context of the same name is replaced", () => {
    const changed = withContext(FILE, "lab", { url: "http://new" });
    expect(changed).not.toContain("lab.example");
    expect(changed.match(/\[contexts\.lab\]/g)).toHaveLength(1);
  });
});
