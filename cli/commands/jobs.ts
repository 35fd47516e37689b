import { type Command, Option } from "commander";
import { showBuild } from "../../protocol/build.ts";
import { Job, JobLogPage, type LogLine } from "../../protocol/job.ts";
import { JobStarted } from "../../protocol/node.ts";
import { type ApiClient, path, query } from "../api/client.ts";
import { findNode, nodeNames } from "../api/find-node.ts";
import { newest } from "../api/newest.ts";
import { facts, table } from "../show/table.ts";
import { instant, span } from "../show/time.ts";
import type { World } from "../world.ts";
import { followJob, showLine } from "./follow-job.ts";
import { apiOf, branch, countOption, leaf, must, print, secondsOption, wantsJson } from "./leaf.ts";

/** `baton jobs`: one unit of work on one node. */
export const jobsCommand = (world: World): Command =>
  branch("jobs", "what nodes did: one unit of work on one node", [
    list(world),
    show(world),
    log(world),
    cancel(world),
    retry(world),
  ]);

type Filter = { node?: string; rollout?: string; status?: string; kind?: string; limit: number };

const list = (world: World): Command =>
  leaf("list", "the jobs, newest first")
    .option("--node <node>", "only of this node")
    .option("--rollout <rollout>", "only of this rollout")
    .addOption(
      new Option("--status <status>", "only those").choices([
        "queued",
        "running",
        "succeeded",
        "failed",
        "cancelled",
      ]),
    )
    .addOption(new Option("--kind <kind>", "only those").choices(["update", "rollback", "diagnose"]))
    .option("--limit <n>", "how many at most", countOption, 50)
    .action(async ({ node, rollout, status, kind, limit }: Filter, command: Command) => {
      const api = await apiOf(world, command);
      const nodeId = node === undefined ? undefined : must(await findNode(api, node)).id;
      const jobs = must(
        await newest(api, ["v1", "jobs"], "jobs", Job, limit, { rollout, status, kind, node: nodeId }),
      );
      const names = wantsJson(command) ? new Map<string, string>() : await nodeNames(api);
      const rows = jobs.map((job) => [
        job.id,
        names.get(job.nodeId) ?? job.nodeId,
        job.kind,
        job.to?.version ?? job.release ?? "-",
        job.status === "running" ? `${job.step ?? "running"} ${job.percent} %` : job.status,
        instant(job.createdAt),
        job.startedAt === null ? "-" : span((job.endedAt ?? world.now()) - job.startedAt),
        job.reason?.message ?? "",
      ]);
      const heading = ["ID", "NODE", "KIND", "TO", "STATUS", "CREATED", "TOOK", "WHY"];
      print(world, command, jobs, jobs.length === 0 ? "No jobs." : table(heading, rows));
    });

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
  ...(job.retryOf === null ? [] : [["again", `does over ${job.retryOf}`] as const]),
  ...(job.reason === null ? [] : [["why", `${job.reason.message} (${job.reason.code})`] as const]),
];

const log = (world: World): Command =>
  leaf("log", "a job's log, before and after the restart")
    .argument("<job>", "its id")
    .option("--follow", "until the job ends; exit 3 when it fails")
    .option("--timeout <time>", "with --follow: give up and exit 4 (90, 15m)", secondsOption)
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

const cancel = (world: World): Command =>
  leaf("cancel", "end a job that is not in flight; nothing was changed on its node")
    .argument("<job>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "jobs", id, "cancel");
      const job = must(await api.call({ method: "POST", path: where, answer: Job }));
      print(world, command, job, `Job ${job.id} ${job.status}.`);
    });

const retry = (world: World): Command =>
  leaf("retry", "begin a failed or cancelled job anew, as another job")
    .argument("<job>", "its id")
    .action(async (id: string, _: object, command: Command) => {
      const api = await apiOf(world, command);
      const where = path("v1", "jobs", id, "retry");
      const { jobId } = must(await api.call({ method: "POST", path: where, answer: JobStarted }));
      const follow = `Follow it with: baton jobs log ${jobId} --follow`;
      print(world, command, { jobId }, `Job ${jobId} does it over. ${follow}`);
    });
