import assert from "node:assert/strict";
import { until } from "../../../examples/demo/fleet.ts";
import { FaultProxy } from "../../harness/fault-proxy.ts";
import { scenario } from "../runner.ts";
import { axe } from "../stage.ts";

export const live = scenario(
  "live: a stream that is cut is seen to be, and goes on where it was; so does a page over a restart",
  async (stage, say) => {
    await stage.startCoordinator();
    const proxy = await FaultProxy.listen({
      target: { host: "127.0.0.1", port: Number(new URL(stage.fleet.url).port) },
    });
    try {
      const page = await stage.signedIn("admin", "/", { through: proxy.url });
      await page.getByText("Live", { exact: true }).waitFor();
      const lately = page.getByRole("region", { name: "Lately" });
      await lately.getByText("trust.installed").waitFor();

      const mend = proxy.inflict({ do: "refuse", path: /^\/v1\/events/ });
      proxy.cut();
      const banner = page.getByText(/Not live for/);
      await banner.waitFor();
      assert.deepEqual(await axe(page), []);
      // What happens meanwhile is not seen, and is made up for.
      await stage.api.call("POST", "/v1/groups", { name: "while-it-was-cut" });
      assert.equal(await lately.getByText("while-it-was-cut").count(), 0);
      const refused = () => proxy.requests.filter(({ fault }) => fault === "refuse").length;
      const before = refused();
      await page.getByRole("button", { name: "Try now" }).click();
      await until("another try", async () => refused() > before);
      mend();
      const mended = performance.now();
      await banner.waitFor({ state: "detached" });
      await lately.getByText("while-it-was-cut").waitFor();
      say(`what was missed is there ${Math.round(performance.now() - mended)} ms after the line is mended`);
      const asked = proxy.requests.filter(
        ({ path, status }) => path.startsWith("/v1/events") && status === 200,
      );
      assert.equal(asked.length, 2, "the stream was begun more often than it had to be");

      // The sign-in outlives the coordinator, and the page goes on by itself.
      await stage.fleet.restartCoordinator(async () => {
        await banner.waitFor();
      });
      await banner.waitFor({ state: "detached" });
      await stage.api.call("POST", "/v1/groups", { name: "after-the-restart" });
      await lately.getByText("after-the-restart").waitFor();
    } finally {
      await proxy.close();
    }
  },
);
