import { describe, expect, test } from "vitest";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { LogLine } from "../../protocol/job.ts";
import { GroupWatch } from "../light-agents/group-watch.ts";
import { JobLogs } from "../light-agents/job-logs.ts";
import { type AgentRecord, type JobAccount, lineText } from "../light-agents/record.ts";
import { lostLines, lostOf, type Told } from "./judge.ts";
import type { PhaseSeen } from "./timeline.ts";
import { latencyVerdicts, memoryVerdicts } from "./verdicts.ts";

const JOB = "j-000000000001";

const recordOf = (more: Partial<AgentRecord> = {}): AgentRecord => ({
  nodeId: "n-000000000001",
  name: "db-1",
  group: "db",
  jobs: { [JOB]: { written: 3, acknowledged: 3, full: false, ended: true } },
  leases: [{ token: 7, jobId: JOB, committed: true, settled: true }],
  complaints: [],
  ...more,
});

const entry = (id: number, action: string, before: unknown, after: unknown): AuditEntry => ({
  id,
  at: 0,
  actor: "node n-000000000001",
  action,
  subject: "db",
  before,
  after,
  from: "",
});

const AUDIT = [
  entry(1, "lease.reserved", null, { token: 7 }),
  entry(2, "lease.committed", null, { token: 7 }),
  entry(3, "lease.returned", { token: 7 }, { proof: "confirmed" }),
];

const told = (more: Partial<Told> = {}): Told => ({
  jobs: new Map([[JOB, "succeeded"]]),
  events: new Map([[JOB, "succeeded"]]),
  audit: AUDIT,
  held: [],
  ...more,
});

const linesOf = (count: number): LogLine[] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    at: 0,
    source: "agent" as const,
    step: null,
    text: lineText(JOB, index),
  }));

describe("what was acknowledged is looked for", () => {
  test("all of it is there", () => {
    expect(lostOf([recordOf()], told())).toEqual([]);
  });

  test.each<[string, Partial<Told>]>([
    [`${JOB} of db-1 is gone`, { jobs: new Map() }],
    [`${JOB} of db-1 was confirmed, and is running`, { jobs: new Map([[JOB, "running"]]) }],
    [`no event told of the end of ${JOB} of db-1`, { events: new Map([[JOB, "running"]]) }],
    ["token 7 of db, of db-1, was given, and is not in the audit log", { audit: AUDIT.slice(1) }],
    [
      "token 7 of db, of db-1, was committed, and the audit log does not have it",
      { audit: AUDIT.filter(({ id }) => id !== 2) },
    ],
    [
      "token 7 of db, of db-1, was settled, and the audit log has no return of it",
      { audit: AUDIT.slice(0, 2) },
    ],
    ["token 7 of db, of db-1, was settled, and is held", { held: [{ group: "db", token: 7 }] }],
  ])("%s", (found, lost) => {
    expect(lostOf([recordOf()], told(lost))).toEqual([found]);
  });

  test("what was not acknowledged may be missing", () => {
    const jobs = { [JOB]: { written: 3, acknowledged: 0, full: false, ended: false } };
    const leases = [{ token: 7, jobId: JOB, committed: false, settled: false }];
    const nothing = told({ events: new Map(), audit: AUDIT.slice(0, 1), held: [{ group: "db", token: 7 }] });
    expect(lostOf([recordOf({ jobs, leases })], nothing)).toEqual([]);
  });
});

describe("a log is held to its lines", () => {
  const job: JobAccount = { written: 3, acknowledged: 3, full: false, ended: true };

  test("all are there, and one that came unacknowledged", () => {
    expect(lostLines(JOB, job, linesOf(4))).toEqual([]);
  });

  test("lines are missing, at the end or in the middle, or are others", () => {
    expect(lostLines(JOB, job, linesOf(2))).toEqual([`3 lines of ${JOB} were acknowledged, 2 are there`]);
    const gap = linesOf(4).filter(({ index }) => index !== 1);
    const other = linesOf(3).map((line) => ({ ...line, text: lineText(JOB, line.index + 1) }));
    expect(lostLines(JOB, job, gap)).toEqual([`line 1 of ${JOB} is not as it was written`]);
    expect(lostLines(JOB, job, other)).toEqual([`line 0 of ${JOB} is not as it was written`]);
  });

  test("one that is full ends in the coordinator's word, and has what was acknowledged before", () => {
    const last: LogLine = { index: 3, at: 0, source: "coordinator", step: null, text: "full" };
    expect(lostLines(JOB, { ...job, full: true }, [...linesOf(3), last])).toEqual([]);
    expect(lostLines(JOB, { ...job, full: true }, [...linesOf(2), last])).toHaveLength(1);
  });
});

describe("an agent's own account", () => {
  test("lines are sent again that were not acknowledged, and no others", () => {
    const record = recordOf({ jobs: {} });
    const logs = new JobLogs(record);
    const sent = () => [...logs.toSend()].flatMap(({ lines }) => lines.map(({ index }) => index));
    logs.write(JOB, 3);
    expect([sent(), sent()]).toEqual([[0, 1, 2], []]);
    logs.acknowledge([{ jobId: JOB, index: 2 }]);
    logs.newSession();
    expect(sent()).toEqual([2]);
    logs.acknowledge([{ jobId: JOB, index: 3 }]);
    expect(record.complaints).toEqual([]);
    logs.acknowledge([{ jobId: JOB, index: 1 }]);
    expect(record.complaints).toEqual([`line 1 of ${JOB} is asked for, 3 lines were acknowledged`]);
  });

  test("two of a group that are down at once are seen, and a token that was there before", () => {
    const watch = new GroupWatch();
    watch.token("db", 1, "db-1", JOB);
    watch.token("db", 1, "db-1", JOB);
    watch.down("db", "db-1");
    watch.up("db", "db-1");
    watch.down("db", "db-2");
    expect([watch.complaints, watch.mostDown]).toEqual([[], 1]);
    watch.down("db", "db-3");
    watch.token("db", 1, "db-2", JOB);
    expect(watch.mostDown).toBe(2);
    expect(watch.complaints).toEqual([
      "two of db were down at once: db-2, db-3",
      "db-2 was given token 1 of db after db-1 had 1",
    ]);
  });
});

describe("bounds", () => {
  const seen = (memory: number, ms: number, diskMs = 5): PhaseSeen => ({
    memoryMb: [memory],
    descriptors: [],
    beatMs: [ms],
    readyMs: [ms],
    diskMs: [diskMs],
    failed: 0,
  });
  const phases = (storm: number, after: number, ms: number) =>
    new Map([
      ["calm", seen(100, 10)],
      ["storms", seen(storm, 10)],
      ["afterwards", seen(after, ms)],
    ]);
  const isOk = (all: ReadonlyMap<string, PhaseSeen>) =>
    [...memoryVerdicts(all), ...latencyVerdicts(all)].map(({ ok }) => ok);

  test("memory that grows too much, that stays, and answers that stay slow", () => {
    expect(isOk(phases(400, 150, 20))).toEqual([true, true, true, true]);
    expect(isOk(phases(900, 150, 20))).toEqual([false, true, true, true]);
    expect(isOk(phases(400, 400, 20))).toEqual([true, false, true, true]);
    expect(isOk(phases(400, 150, 900))).toEqual([true, true, false, false]);
  });

  test("a machine that has become slower itself is no fault of the coordinator's", () => {
    const busy = new Map([...phases(100, 100, 10), ["afterwards", seen(100, 900, 20)]]);
    const [heartbeats] = latencyVerdicts(busy);
    expect(heartbeats).toMatchObject({ ok: true, says: expect.stringContaining("4.0 times as long") });
    const quick = new Map([...phases(100, 100, 10), ["afterwards", seen(100, 900, 1)]]);
    expect(latencyVerdicts(quick).map(({ ok }) => ok)).toEqual([false, false]);
  });

  test("who never answers afterwards is not as before", () => {
    const silent = new Map([...phases(100, 100, 10), ["afterwards", { ...seen(100, 10), beatMs: [] }]]);
    expect(latencyVerdicts(silent).map(({ ok }) => ok)).toEqual([false, true]);
  });
});
