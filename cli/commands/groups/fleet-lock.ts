/** FleetLock in a group: other clients, such as Zincati, share its lease. */
import type { Command } from "commander";
import { FleetLockOpened, FleetLockSettings } from "../../../protocol/fleet-lock.ts";
import { path } from "../../api/client.ts";
import type { World } from "../../world.ts";
import { apiOf, branch, leaf, must, print, wantsJson } from "../leaf.ts";

/** `baton groups fleet-lock`: whether clients that speak FleetLock may share a group's lease. */
export const fleetLockOfGroup = (world: World): Command =>
  branch("fleet-lock", "let Zincati and others that speak FleetLock share a group's lease", [
    open(world),
    close(world),
  ]);

type Options = { readonly password: boolean; readonly voter?: true; readonly autoApprove?: true };

const open = (world: World): Command =>
  leaf("open", "let FleetLock clients in; prints the address with its password, once; again: a new password")
    .argument("<group>", "name")
    .option("--no-password", "whoever reaches the coordinator may ask, without a user and a password")
    .option("--voter", "new clients have a vote in the group's quorum")
    .option("--auto-approve", "let new clients in without asking")
    .action(async (group: string, { password, voter, autoApprove }: Options, command: Command) => {
      const api = await apiOf(world, command);
      const body = { basicAuth: password, voter: voter === true, autoApprove: autoApprove === true };
      const where = path("v1", "groups", group, "fleet-lock");
      const opened = must(await api.call({ method: "POST", path: where, body, answer: FleetLockOpened }));
      // The address alone on standard output, so that it can go straight into the client's settings.
      print(world, command, opened, baseUrlOf(api.url, opened));
      if (wantsJson(command)) return;
      const once = opened.password === null ? "" : " It is shown only now.";
      const next = opened.autoApprove
        ? ""
        : " Who asks for the first time waits: baton nodes approve lets it in.";
      world.err.write(`FleetLock is open in ${group}; that is the clients' base_url.${once}${next}\n`);
    });

const close = (world: World): Command =>
  leaf("close", "let no FleetLock client lock any more; a lock that is held stays held, and members stay")
    .argument("<group>", "name")
    .action(async (group: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "groups", group, "fleet-lock", "close");
      const closed = must(await api.call({ method: "POST", path: where, answer: FleetLockSettings }));
      print(world, command, closed, `FleetLock is closed in ${group}.`);
    });

/** As clients are configured: with the user and the password in it. */
function baseUrlOf(coordinator: string, { user, password }: FleetLockOpened): string {
  const url = new URL(`${coordinator}/`);
  url.username = user ?? "";
  url.password = password ?? "";
  return url.href;
}
