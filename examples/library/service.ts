/**
 * A daemon of your own that updates itself: it calls `runAgent` and hands in what it does. Here it counts requests;
 * there is nothing of Baton in that part.
 */
import { createServer } from "node:http";
import { runAgent } from "baton";

const port = Number(process.env.PORT ?? 8080);
let served = 0;
let draining = false;

const server = createServer((_request, response) => {
  served += 1;
  response.writeHead(draining ? 503 : 200, { "content-type": "application/json" });
  response.end(`${JSON.stringify({ served, draining })}\n`);
});

await runAgent({
  workload: {
    /** Serve. READY goes to systemd once this has resolved. */
    start: () => new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve)),
    /** Asked every few seconds; an update is confirmed only while this says healthy. */
    health: async () => ({ healthy: server.listening, caughtUp: !draining, detail: `${served} requests` }),
    /** Just before the swap: refuse new work, finish what is under way. */
    drain: async () => {
      draining = true;
    },
    /** The update did not happen: serve again. */
    resume: async () => {
      draining = false;
    },
    /** The process is about to exit. */
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  },
});
