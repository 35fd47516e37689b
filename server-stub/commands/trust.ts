import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { readTrustUpdate, type TrustUpdate } from "../../protocol/ceremony.ts";
import { FaultError } from "../../protocol/result.ts";
import { Type } from "../../protocol/schema.ts";
import { keysDirOf } from "../assemble.ts";
import { asLocal } from "../local.ts";
import { createOnlineKeys } from "../repository/online-keys.ts";
import { configOf, type Shared, type World } from "./world.ts";

const Installed = Type.Object({ version: Type.Integer(), fingerprint: Type.String() });

/** `coordinator trust`: takes in what `baton keys sign` and `baton keys rotate` wrote. */
export const trustCommand = (world: World): Command =>
  new Command("trust")
    .description("install roots that the publisher signed")
    .argument("<file...>", "what `baton keys sign` or `baton keys rotate` wrote, in their order")
    .option("--json", "print JSON")
    .action(async (files: readonly string[], _: object, self: Command) => {
      // Read before the owner of the state directory is become: the files are those of who runs this.
      const updates = await Promise.all(files.map(readUpdate));
      const config = await configOf(world, self.optsWithGlobals<Shared>());
      const { version, fingerprint } = await asLocal(config, (local) =>
        local.call("POST", "/v1/trust", Installed, { updates }),
      );
      world.print(
        self.optsWithGlobals<Shared>().json === true
          ? JSON.stringify({ version, fingerprint })
          : `Root version ${version} is trusted. Its fingerprint, for nodes that join:\n${fingerprint}`,
      );
    });

/** `coordinator key-request`: new online keys, to replace those that the root names now. */
export const keyRequestCommand = (world: World): Command =>
  new Command("key-request")
    .description("make new online keys and the request to name them, for `baton keys rotate`")
    .addArgument(new Argument("[role...]", "default: both").choices(["snapshot", "timestamp"]))
    .option("--json", "print JSON")
    .action(async (roles: readonly ("snapshot" | "timestamp")[], _: object, self: Command) => {
      const shared = self.optsWithGlobals<Shared>();
      const config = await configOf(world, shared);
      const wanted = roles.length === 0 ? undefined : roles;
      const request = await createOnlineKeys(keysDirOf(config), wanted);
      const file = join(config.stateDir, "key-request.json");
      await writeFile(file, `${JSON.stringify(request, null, 2)}\n`, { mode: 0o644 });
      world.print(shared.json === true ? JSON.stringify({ keyRequestFile: file }) : file);
    });

async function readUpdate(file: string): Promise<TrustUpdate> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FaultError({ code: "not-found", message: `${file} cannot be read: ${why}.` }, { cause });
  }
  const update = readTrustUpdate(text);
  if (!update.ok) throw new FaultError({ ...update.error, message: `${file}: ${update.error.message}` });
  return update.value;
}
