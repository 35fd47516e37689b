/**
 * One server for all test files of a run, started when the first of them asks for a database and stopped at the end.
 * Who asks connects to a socket, says nothing, and reads the address of an empty database of its own.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { readAddress } from "../../../server-stub/store/postgres/address.ts";
import { migratePostgres } from "../../../server-stub/store/postgres/open.ts";
import { type PostgresServer, startPostgres } from "./server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where databases are asked for. */
    readonly postgres: string;
  }
}

/** The address of a database with all tables and nothing in them. The server and it are gone when the run is over. */
export async function freshDatabase(): Promise<string> {
  const socket = createConnection(inject("postgres"));
  const [answer = "", problem] = (await text(socket)).split("\n");
  if (problem !== undefined) throw new Error(problem);
  return answer;
}

/** Called by vitest once, before and after all. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const path = join(tmpdir(), `baton-tests-${randomUUID()}.sock`);
  let server: Promise<PostgresServer> | undefined;
  const answer = async (socket: Socket): Promise<void> => {
    try {
      server ??= startWithTemplate();
      const { sql, url } = await server;
      const name = `t_${randomUUID().replaceAll("-", "")}`;
      await sql(`create database ${name} template empty_store strategy file_copy`);
      socket.end(url(name));
    } catch (error) {
      socket.end(`\n${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const asked = createServer((socket) => void answer(socket));
  asked.listen(path);
  await once(asked, "listening");
  project.provide("postgres", path);
  return async () => {
    asked.close();
    await rm(path, { force: true });
    await (await server)?.stop();
  };
}

/** Of a language whose order is not that of bytes, so that whatever relies on bytes has to say so. */
async function startWithTemplate(): Promise<PostgresServer> {
  const server = await startPostgres();
  await server.sql(
    "create database empty_store template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C'",
  );
  const address = readAddress(server.url("empty_store"));
  if (!address.ok) throw new Error(address.error);
  const migrated = await migratePostgres(address.value, { contract: true, dryRun: false });
  if (!migrated.ok) throw new Error(migrated.error.message);
  return server;
}
