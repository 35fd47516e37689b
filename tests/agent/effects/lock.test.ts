import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { orUnwritable, takeLock } from "../../../agent/effects/lock.ts";

const MODULE = join(import.meta.dirname, "../../../agent/effects/lock.ts");
let dir = "";
let path = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-lock-"));
  path = join(dir, "lock");
});
afterEach(() => rm(dir, { recursive: true }));

describe("the lock of a state directory", () => {
  it("is held by one, and can be taken again once it is released", async () => {
    const first = await takeLock(path);
    expect(first.ok).toBe(true);
    const second = await takeLock(path);
    expect(second).toMatchObject({
      ok: false,
      error: { code: "already-running", context: { holder: String(process.pid) } },
    });
    if (first.ok) await first.value.release();
    const third = await takeLock(path);
    expect(third.ok).toBe(true);
    if (third.ok) await third.value.release();
  });

  it("is not fooled by a file that a dead process left", async () => {
    await writeFile(path, "1\n");
    const lock = await takeLock(path);
    expect(lock.ok).toBe(true);
    if (lock.ok) await lock.value.release();
  });

  it("is held on a full disk as well, where nobody can write down whose it is", async () => {
    await symlink("/dev/full", path);
    const lock = await takeLock(path);
    expect(lock.ok).toBe(true);
    if (lock.ok) await lock.value.release();
  });

  it.each([
    ["EROFS", "mount -o remount,rw"],
    ["EACCES", "chown"],
    ["ENOSPC", "Free some space"],
  ])("is not to be had where %s is the answer, which says what to do", async (code, hint) => {
    const cause = Object.assign(new Error(`${code}: no, open '${path}'`), { code });
    const tried = await orUnwritable(path, Promise.reject(cause));
    expect(tried).toMatchObject({
      ok: false,
      error: {
        code: "lock-failed",
        message: expect.stringContaining(`no agent starts on it: ${code}`),
        hint: expect.stringMatching(new RegExp(`${hint}.*agent doctor`)),
      },
    });
    const bug = new Error("a bug");
    await expect(orUnwritable(path, Promise.reject(bug))).rejects.toBe(bug);
  });

  it("is given back when its holder is killed, and not kept by its children", async () => {
    const script = `
      import { spawn } from "node:child_process";
      import { takeLock } from ${JSON.stringify(MODULE)};
      globalThis.lock = await takeLock(${JSON.stringify(path)});
      const child = spawn("sleep", ["60"], { stdio: "ignore" });
      console.log(child.pid);
      setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(holder.stdout, "data")) as [Buffer];
    try {
      expect(await takeLock(path)).toMatchObject({
        ok: false,
        error: { code: "already-running", context: { holder: String(holder.pid) } },
      });
      holder.kill("SIGKILL");
      await once(holder, "exit");
      const lock = await takeLock(path);
      expect(lock.ok).toBe(true);
      if (lock.ok) await lock.value.release();
    } finally {
      process.kill(Number(said.toString()), "SIGKILL");
    }
  });
});
