/** Jobs on one node, outside of any rollout. */
import type { Command } from "commander";
import { JobStarted } from "../../../protocol/node.ts";
import { path } from "../../api/client.ts";
import { findNode } from "../../api/find-node.ts";
import type { World } from "../../world.ts";
import { followJob } from "../follow-job.ts";
import { apiOf, leaf, must, print, secondsOption, wantsJson } from "../leaf.ts";

type Options = { release?: string; retry?: true; wait?: true; timeout?: number };

const work = (world: World, kind: "update" | "rollback" | "diagnose", description: string): Command =>
  leaf(kind, description)
    .argument("<node>", "name or id")
    .option("--wait", "follow the job's log until it ends; exit 3 when it fails")
    .option("--timeout <time>", "with --wait: give up waiting and exit 4 (90, 15m)", secondsOption)
    .action(async (named: string, options: Options, command: Command) => {
      const api = await apiOf(world, command);
      const { id, name } = must(await findNode(api, named));
      const { release, retry, wait, timeout } = options;
      const body = {
        ...(release === undefined ? {} : { release }),
        ...(retry === undefined ? {} : { retry }),
      };
      const { jobId } = must(
        await api.call({
          method: "POST",
          path: path("v1", "nodes", id, kind),
          ...(kind === "update" ? { body } : {}),
          answer: JobStarted,
        }),
      );
      if (wait === true) {
        return followJob(world, api, jobId, { json: wantsJson(command), timeoutSeconds: timeout });
      }
      const follow = `Follow it with: baton jobs log ${jobId} --follow`;
      print(world, command, { jobId }, `${name} works on job ${jobId}. ${follow}`);
    });

export const updateNode = (world: World): Command =>
  work(world, "update", "bring one node to its desired release; it waits for the lease like any other")
    .option("--release <release>", "another release than the desired one")
    .option("--retry", "also if the build is quarantined or the node is held");

export const rollBackNode = (world: World): Command =>
  work(world, "rollback", "bring one node back to the build it ran before, and hold it there");

export const diagnoseNode = (world: World): Command =>
  work(world, "diagnose", "let a node look at itself: what `agent doctor` finds is in the job's log");
