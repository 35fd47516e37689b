/** The commands that speak to the running agent. Each answers its exit status. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { showBuild } from "../../protocol/build.ts";
import { LogLine } from "../../protocol/job.ts";
import { type Fault, FaultError } from "../../protocol/result.ts";
import { readConfig } from "../config.ts";
import { type ControlClient, createControlClient } from "../control/client.ts";
import { AgentStatus, InstallReply, JobSummaries, Started } from "../control/messages.ts";
import { followJob, printWatched, showLine } from "./follow-job.ts";
import { statusText } from "./status-text.ts";
import { EXIT, type World } from "./world.ts";

export type Common = { readonly json?: boolean; readonly config?: string; readonly socket?: string };

const json = (world: World, value: unknown) => world.out(`${JSON.stringify(value)}\n`);

export async function status(world: World, options: Common): Promise<number> {
  const said = await (await connect(world, options)).call({ method: "GET", path: "/v1/status" }, AgentStatus);
  if (!said.ok) throw new FaultError(said.error);
  if (options.json === true) json(world, said.value);
  else world.out(statusText(said.value, world.now()));
  return EXIT.ok;
}

export type Waiting = Common & { readonly timeout: string; readonly wait: boolean };

export async function updateNow(
  world: World,
  options: Waiting & { readonly retry?: boolean },
): Promise<number> {
  return startJob(world, options, "/v1/update", { retry: options.retry === true });
}

export const rollback = (world: World, options: Waiting): Promise<number> =>
  startJob(world, options, "/v1/rollback", {});

async function startJob(world: World, options: Waiting, path: string, body: object): Promise<number> {
  const client = await connect(world, options);
  const started = await client.call({ method: "POST", path, body }, Started);
  if (!started.ok) throw new FaultError(started.error);
  const { jobId } = started.value;
  if (!options.wait) {
    if (options.json === true) json(world, started.value);
    else world.out(`Job ${jobId} is under way. Follow it with: agent logs --follow ${jobId}\n`);
    return EXIT.ok;
  }
  if (options.json !== true) world.err(`Job ${jobId}\n`);
  const end = await followJob(world, client, jobId, {
    timeoutMs: Number(options.timeout) * 1_000,
    take: printWatched(world, options.json === true),
  });
  if (!end.ok) throw new FaultError(end.error);
  const { result, reason } = end.value;
  if (result === "succeeded") {
    if (options.json !== true) world.out(`Job ${jobId} succeeded.\n`);
    return EXIT.ok;
  }
  throw new FaultError({
    code: "failed",
    message: `Job ${jobId} ended as ${result}${reason === null ? "." : `: ${reason.message}`}`,
    hint: `Its whole log: agent logs ${jobId}`,
    context: { jobId, result, reason: reason?.code ?? null },
  });
}

export async function logs(
  world: World,
  options: Common & { readonly follow?: boolean },
  named: string | undefined,
): Promise<number> {
  const client = await connect(world, options);
  const jobId = named ?? (await newestJob(client));
  const from = `/v1/jobs/${encodeURIComponent(jobId)}/log?follow=${options.follow === true ? 1 : 0}`;
  const read = await client.stream(from, LogLine, world.interrupted, (line) => {
    if (options.json === true) json(world, line);
    else world.out(showLine(line));
  });
  if (!read.ok) throw new FaultError(read.error);
  return EXIT.ok;
}

async function newestJob(client: ControlClient): Promise<string> {
  const jobs = await client.call({ method: "GET", path: "/v1/jobs" }, JobSummaries);
  if (!jobs.ok) throw new FaultError(jobs.error);
  const newest = jobs.value.jobs[0];
  if (newest !== undefined) return newest.jobId;
  throw new FaultError({ code: "no-jobs", message: "No job has run on this node, so there is no log." });
}

/** Hands a file to the running agent, which verifies and prepares it; nothing goes live without a lease. */
export async function installByAgent(world: World, options: Common, file: string): Promise<number> {
  const handle = await open(file, "r");
  await handle.close();
  const client = await connect(world, options);
  const body = createReadStream(file);
  const reply = await client.call({ method: "POST", path: "/v1/install", body }, InstallReply);
  if (!reply.ok) throw new FaultError(reply.error);
  if (options.json === true) json(world, reply.value);
  else world.out(`${showBuild(reply.value.build)} is ${reply.value.outcome}. ${reply.value.message}\n`);
  return EXIT.ok;
}

/** Whether an agent listens; null when it does, else why not. */
export async function notRunning(world: World, options: Common): Promise<Fault | null> {
  const said = await (await connect(world, options)).call({ method: "GET", path: "/v1/status" }, AgentStatus);
  return said.ok || said.error.code !== "agent-not-running" ? null : said.error;
}

async function connect(world: World, options: Common): Promise<ControlClient> {
  if (options.socket !== undefined) return createControlClient(options.socket);
  const config = await readConfig(options.config, world.env);
  if (!config.ok) throw new FaultError(config.error);
  return createControlClient(config.value.controlSocket);
}
