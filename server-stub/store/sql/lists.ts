/**
 * Lists that are too long to be read whole: a page is found by the number that its rows were given when they were
 * written. Which filters a caller combines is not known before, so these queries are built when they are asked.
 */
import type { Kysely } from "kysely";
import type { JobId } from "../../../protocol/names.ts";
import type { JobRecord } from "../../core/job/job.ts";
import type { AuditQuery, JobQuery, JoinTokenRecord, Numbered, Stored } from "../records.ts";
import type { AuditRow } from "./reads.ts";
import type { Tables } from "./tables.ts";

/** Values in one statement are limited. */
const IDS_AT_ONCE = 200;

const LAST_CHARACTER = "\u{10ffff}";

export const sqlLists = (db: Kysely<Tables>) => ({
  jobs: async ({
    nodeId,
    status,
    kind,
    rolloutId,
    before,
    limit,
  }: JobQuery): Promise<Numbered<JobRecord>[]> => {
    let query = db.selectFrom("job").select(["seq", "revision", "body"]);
    if (nodeId !== undefined) query = query.where("node_id", "=", nodeId);
    if (status !== undefined) query = query.where("status", "=", status);
    if (kind !== undefined) query = query.where("kind", "=", kind);
    if (rolloutId !== undefined) query = query.where("rollout_id", "=", rolloutId);
    if (before !== undefined) query = query.where("seq", "<", before);
    const rows = await query.orderBy("seq", "desc").limit(limit).execute();
    return rows.map(({ seq, revision, body }) => ({
      number: seq,
      value: JSON.parse(body) as JobRecord,
      revision,
    }));
  },

  audit: async (query: AuditQuery): Promise<AuditRow[]> => {
    const { actor, action, subject, since, until, before, after, limit } = query;
    let found = db.selectFrom("audit").selectAll();
    if (actor !== undefined) found = found.where("actor", "=", actor);
    // As bytes on every engine, where `like` is of this case or of any.
    if (action !== undefined && action !== "")
      found = found.where("action", ">=", action).where("action", "<", `${action}${LAST_CHARACTER}`);
    if (subject !== undefined) found = found.where("subject", "=", subject);
    if (since !== undefined) found = found.where("at", ">=", since);
    if (until !== undefined) found = found.where("at", "<", until);
    if (before !== undefined) found = found.where("id", "<", before);
    if (after !== undefined) found = found.where("id", ">", after);
    return found
      .orderBy("id", after === undefined ? "desc" : "asc")
      .limit(limit)
      .execute();
  },

  activeJobs: async (): Promise<Stored<JobRecord>[]> => {
    const rows = await db
      .selectFrom("job")
      .select(["revision", "body"])
      .where("status", "in", ["queued", "running"])
      .where("kind", "!=", "diagnose")
      .orderBy("seq")
      .execute();
    return rows.map(({ revision, body }) => ({ value: JSON.parse(body) as JobRecord, revision }));
  },

  jobsById: async (ids: readonly JobId[]): Promise<Stored<JobRecord>[]> => {
    const found: Stored<JobRecord>[] = [];
    for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
      const some = ids.slice(from, from + IDS_AT_ONCE);
      const rows = await db.selectFrom("job").select(["revision", "body"]).where("id", "in", some).execute();
      for (const { revision, body } of rows) found.push({ value: JSON.parse(body) as JobRecord, revision });
    }
    return found;
  },

  joinTokens: async (): Promise<Stored<JoinTokenRecord>[]> => {
    const rows = await db.selectFrom("join_token").select(["revision", "body"]).execute();
    return rows.map(({ revision, body }) => ({ value: JSON.parse(body) as JoinTokenRecord, revision }));
  },
});
