import type { Command } from "commander";
import { showBuild } from "../../protocol/build.ts";
import { Job, JobLogPage, type LogLine } from "../../protocol/job.ts";
import { type ApiClient, path, query } from "../api/client.ts";
import { facts } from "../show/table.ts";
import { instant } from "../show/time.ts";
import type { World } from "../world.ts";
import { followJob, showLine } from "./follow-job.ts";
import { apiOf, branch, countOption, leaf, must, print, wantsJson } from "./leaf.ts";

/** `baton jobs`: one unit of work on one node. */
export const jobsCommand = (world: World): Command =>
  branch("jobs", "what nodes did: one unit of work on one node", [show(world), log(world)]);

const show = (world: World): Command =>
  leaf("show", "one job")
    .argument("<job>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const job = must(await api.call({ path: path("v1", "jobs", id), answer: Job }));
      print(world, command, job, facts(factsOf(job)));
    });

const factsOf = (job: Job): readonly (readonly [string, string])[] => [
  ["id", job.id],
  ["kind", `${job.kind}, asked for by ${job.cause}${job.rolloutId === null ? "" : ` ${job.rolloutId}`}`],
  ["node", job.nodeId],
  ["from", job.from === null ? "-" : showBuild(job.from)],
  ["to", job.to === null ? (job.release ?? "-") : showBuild(job.to)],
  ["status", `${job.status}, ${job.step ?? "-"}, ${job.percent} %`],
  ["created", instant(job.createdAt)],
  ["started", instant(job.startedAt)],
  ["ended", instant(job.endedAt)],
  ...(job.reason === null ? [] : [["why", `${job.reason.message} (${job.reason.code})`] as const]),
];

const log = (world: World): Command =>
  leaf("log", "a job's log, before and after the restart")
    .argument("<job>", "its id")
    .option("--follow", "until the job ends; exit 3 when it fails")
    .option("--timeout <seconds>", "with --follow: give up and exit 4", countOption)
    .action(
      async (id: string, { follow, timeout }: { follow?: true; timeout?: number }, command: Command) => {
        const api = await apiOf(world, command);
        if (follow === true) {
          return followJob(world, api, id, { json: wantsJson(command), timeoutSeconds: timeout });
        }
        const lines = await wholeLog(api, id);
        print(world, command, lines, lines.map((line) => showLine(world, line)).join("\n"));
      },
    );

async function wholeLog(api: ApiClient, id: string): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for (;;) {
    const from = (all.at(-1)?.index ?? -1) + 1;
    const page = must(
      await api.call({
        path: `${path("v1", "jobs", id, "log")}${query({ from, limit: 1000 })}`,
        answer: JobLogPage,
      }),
    );
    if (page.lines.length === 0) return all;
    all.push(...page.lines);
  }
}
