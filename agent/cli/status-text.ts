import { showBuild } from "../../protocol/build.ts";
import type { AgentStatus } from "../control/messages.ts";

/** The status for people: what runs, what an update waits for, and what is out of order. Pure. */
export function statusText(status: AgentStatus, now: number): string {
  const { node, build, backup, hold, health, session, update, quarantine, finalWords, poll, job, notes } =
    status;
  const rows: [string, string][] = [
    [
      "node",
      node === null ? "has not joined a coordinator" : `${node.name} (${node.id}), group ${node.group}`,
    ],
    ["runs", `${showBuild(build)}, for ${span(now - status.startedAt)}`],
    ["backup", backup === null ? "none" : showBuild(backup)],
    ["health", healthText(health)],
    ["session", sessionText(session, now)],
    ["update", updateText(update)],
  ];
  if (job?.end != null) rows.push(["last job", `${job.jobId} ${job.end.result}${because(job.end.reason)}`]);
  if (hold) rows.push(["hold", "stays on this build until: agent update-now --retry"]);
  for (const { build, reason, provisional } of quarantine)
    rows.push(["quarantine", `${showBuild(build)}${provisional ? " (provisional)" : ""}: ${reason.message}`]);
  for (const { token, word } of finalWords) rows.push(["to report", `${word} on token ${token}`]);
  rows.push(["poll", pollText(poll, now)]);
  for (const note of notes) rows.push(["note", note]);
  return rows.map(([name, text]) => `${name.padEnd(11)}${text}\n`).join("");
}

function healthText({ healthy, caughtUp, role, detail }: AgentStatus["health"]): string {
  const words = [healthy ? "healthy" : "NOT healthy"];
  if (caughtUp === false) words.push("not caught up");
  if (role !== undefined) words.push(role);
  return words.join(", ") + (detail === undefined ? "" : ` (${detail})`);
}

function sessionText(
  { connected, transport, server, since, fault }: AgentStatus["session"],
  now: number,
): string {
  const when = since === null ? "" : ` for ${span(now - since)}`;
  if (connected) return `with ${server} by ${transport}${when}`;
  return `none${when}${fault === null ? "" : `: ${fault.message}`}`;
}

export function updateText({
  state,
  build,
  percent,
  bytesPerSecond,
  step,
  reason,
  jobId,
}: AgentStatus["update"]): string {
  if (state === "idle") return reason === null ? "nothing to do" : `nothing under way: ${reason.message}`;
  const to = build === null ? "" : ` ${showBuild(build)}`;
  const rate = bytesPerSecond === null ? "" : `, ${(bytesPerSecond / 1_000_000).toFixed(1)} MB/s`;
  const where = step === null ? "" : ` (${step}, ${percent} %${rate})`;
  const job = jobId === null ? "" : `, job ${jobId}`;
  return `${state}${to}${where}${job}${because(reason)}`;
}

function pollText({ enabled, schedule, nextAt, lastAt, fault }: AgentStatus["poll"], now: number): string {
  if (!enabled) return "off; a session, rollouts and update-now reach this node all the same";
  const last = lastAt === null ? "" : `, last ${span(now - lastAt)} ago`;
  const next = nextAt === null ? "" : `, next in ${span(nextAt - now)}`;
  return `${schedule}${next}${last}${fault === null ? "" : `: ${fault.message}`}`;
}

const because = (reason: { readonly message: string } | null): string =>
  reason === null ? "" : `: ${reason.message}`;

/** "3 s", "4 min", "2 h", "5 d": a length of time for a glance. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
