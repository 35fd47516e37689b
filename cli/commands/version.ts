import type { Command } from "commander";
import { ServiceVersion } from "../../protocol/service.ts";
import { path } from "../api/client.ts";
import { facts } from "../show/table.ts";
import type { World } from "../world.ts";
import { apiOf, leaf, must, print } from "./leaf.ts";

/** `baton version`: which baton this is, and which coordinator it speaks to. */
export const versionCommand = (world: World, version: string): Command =>
  leaf("version", "which baton this is, and which coordinator it speaks to").action(
    async (_: object, command: Command) => {
      const api = await apiOf(world, command);
      const coordinator = must(await api.call({ path: path("v1", "version"), answer: ServiceVersion }));
      const { oldestProtocol, protocol } = coordinator;
      const text = facts([
        ["baton", version],
        ["coordinator", `${coordinator.version} at ${api.url}`],
        [
          "speaks",
          oldestProtocol === protocol ? `protocol ${protocol}` : `protocols ${oldestProtocol} to ${protocol}`,
        ],
      ]);
      print(world, command, { baton: version, url: api.url, coordinator }, text);
    },
  );
