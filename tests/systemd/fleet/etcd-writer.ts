import { setTimeout as pause } from "node:timers/promises";

/** One write at a time, each to whoever takes it, over and over, until stopped. */
export type Writer = {
  /** Ends after the write that is under way. */
  stop(): Promise<Written>;
};

export type Written = {
  /** Every value that was acknowledged, in order; its key is `w` and its place, counted from 0. */
  readonly acknowledged: readonly string[];
  /** The longest time between two acknowledged writes, milliseconds. */
  readonly longestGapMs: number;
  /** Tries that failed, whatever became of them. */
  readonly refused: number;
};

const TRY_MS = 1_000;

/** Writes to the etcd cluster at these addresses. A value is never written twice under another key. */
export function writeToEtcd(urls: readonly string[]): Writer {
  const acknowledged: string[] = [];
  let [longestGapMs, refused, isStopped] = [0, 0, false];
  const write = async (): Promise<void> => {
    let last = performance.now();
    for (let turn = 0; !isStopped; turn += 1) {
      const value = `value ${acknowledged.length}`;
      const url = urls[turn % urls.length] ?? "";
      if (!(await put(url, `w${acknowledged.length}`, value))) {
        refused += 1;
        await pause(5);
        continue;
      }
      acknowledged.push(value);
      const now = performance.now();
      longestGapMs = Math.max(longestGapMs, now - last);
      last = now;
    }
  };
  const done = write();
  return {
    async stop() {
      isStopped = true;
      await done;
      return { acknowledged, longestGapMs, refused };
    },
  };
}

/** What the cluster has under the writer's keys, in order, asked for with a read through its quorum. */
export async function readFromEtcd(url: string, count: number): Promise<readonly (string | undefined)[]> {
  const body = { key: encode("w"), range_end: encode("x"), limit: count + 1 };
  const answer = await fetch(`${url}/v3/kv/range`, { method: "POST", body: JSON.stringify(body) });
  const { kvs = [] } = (await answer.json()) as { kvs?: { key: string; value: string }[] };
  const found = new Map(kvs.map(({ key, value }) => [decode(key), decode(value)]));
  return Array.from({ length: count }, (_, index) => found.get(`w${index}`));
}

/** The member that leads, by the id that every member gives. */
export async function leaderOfEtcd(url: string): Promise<string> {
  const answer = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" });
  return ((await answer.json()) as { leader: string }).leader;
}

async function put(url: string, key: string, value: string): Promise<boolean> {
  const body = JSON.stringify({ key: encode(key), value: encode(value) });
  try {
    const signal = AbortSignal.timeout(TRY_MS);
    const answer = await fetch(`${url}/v3/kv/put`, { method: "POST", body, signal });
    await answer.arrayBuffer();
    return answer.ok;
  } catch (error) {
    if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError"))
      return false;
    throw error;
  }
}

const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (text: string): string => Buffer.from(text, "base64").toString();
