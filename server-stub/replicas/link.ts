/** What ties a coordinator without the seat to the one that has it, beside the requests that it hands on. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Replica } from "../service/replica.ts";
import type { Door } from "./door.ts";
import { answerInside, followNews, isThere, showsThere } from "./inside.ts";

export type Link = {
  /** Answers another coordinator, while this one has the seat. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** What whoever has the seat shows of a subject; null when that is this one, or does not answer. */
  readonly shows: (kind: string, subject: string) => Promise<{ readonly value: unknown } | null>;
  /** Follows the news of whoever has the seat, and asks again for one that could not be reached. Called by a timer. */
  readonly look: () => Promise<void>;
  /** This coordinator stops: nobody follows it any more, and it follows nobody. */
  readonly close: () => void;
};

export function createLink(
  door: Pick<Door, "toSeat" | "fault" | "reached">,
  replica: () => Pick<Replica, "current" | "onHeard" | "heardElsewhere"> | null,
): Link {
  const leaving = new AbortController();
  let following: { readonly claim: string; readonly stop: () => void } | null = null;
  return {
    answer: async (request, response) => {
      const its = replica();
      if (its === null) return void response.writeHead(503).end();
      await answerInside(
        { shows: its.current().shows, onHeard: its.onHeard, leaving: leaving.signal },
        request,
        response,
      );
    },
    shows: async (kind, subject) => {
      const way = door.toSeat();
      return way === null || door.fault() !== null ? null : showsThere(way, kind, subject);
    },
    look: async () => {
      const way = door.toSeat();
      if (following !== null && following.claim !== way?.claim) following.stop();
      if (way === null || leaving.signal.aborted) return;
      if (door.fault() !== null && (await isThere(way))) door.reached();
      if (door.fault() !== null || following !== null) return;
      const { claim } = way;
      const stop = followNews(
        { ...way, agent: false },
        (nodeId) => replica()?.heardElsewhere(nodeId),
        () => {
          if (following?.claim === claim) following = null;
        },
      );
      following = { claim, stop };
    },
    close: () => {
      leaving.abort();
      following?.stop();
    },
  };
}
