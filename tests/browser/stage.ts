/** What a scenario is played on: a fleet of its own, real from end to end, and browsers that look at it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { Api } from "../../bench/api.ts";
import { Fleet, type FleetOptions } from "../../examples/demo/fleet.ts";
import type { OperatorRole } from "../../protocol/access.ts";

export const NAMES = ["anna", "bert", "cleo"] as const;
export const GROUP = "demo";

/** As quick as the demo, but for heartbeats: on a machine that does something else as well, two are soon missed. */
const PATIENT: Partial<FleetOptions> = {
  coordinator: "[timings]\nheartbeat_ms = 1000\noffline_after_missed = 5",
};
/** For whatever a page waits for: nothing is judged by the clock but what says so. */
const WITHIN_MS = 60_000;

export type Look = {
  readonly width?: number;
  readonly height?: number;
  readonly colors?: "light" | "dark";
  /** Another address that leads to the coordinator, such as that of a proxy. */
  readonly through?: string;
};

export class Stage {
  readonly fleet: Fleet;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  /** What pages have said that they should not have: errors, and what the content security policy refused. */
  readonly complaints: string[] = [];
  #api: Api | undefined;

  constructor(browser: Browser, dir: string, options: Partial<FleetOptions> = {}) {
    this.#browser = browser;
    this.fleet = new Fleet(dir, { ...PATIENT, ...options });
  }

  /** As an administrator. */
  get api(): Api {
    if (this.#api === undefined) throw new Error("the coordinator has not been started");
    return this.#api;
  }

  async startCoordinator(before?: (stateDir: string) => Promise<void>): Promise<void> {
    await this.fleet.startCoordinator(before);
    this.#api = await Api.of(this.fleet);
  }

  /** A coordinator and three agents that serve with release 1.0.0; the last of them leads. */
  async startFleet(): Promise<void> {
    await this.startCoordinator();
    await this.fleet.startNodes([...NAMES], GROUP, await this.fleet.bundle("1.0.0", "good"));
  }

  async publish(version: string, kind: "good" | "broken" = "good"): Promise<void> {
    await this.fleet.baton(["publish", await this.fleet.bundle(version, kind)]);
  }

  async token(role: OperatorRole): Promise<string> {
    const body = { name: `a ${role}`, role };
    return (await this.api.call<{ secret: string }>("POST", "/v1/tokens", body)).secret;
  }

  /** A window of a browser that nobody has used before. */
  async open(look: Look = {}): Promise<Page> {
    const { width = 1280, height = 800, colors = "light", through = this.fleet.url } = look;
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: colors,
      reducedMotion: "reduce",
      baseURL: through,
    });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(WITHIN_MS);
    page.on("pageerror", (error) => this.complaints.push(`an error in the page: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !EXPECTED.test(message.text()))
        this.complaints.push(`the console says: ${message.text()}`);
    });
    return page;
  }

  /** Signs in by typing a token, as a person would, and ends at `path`. */
  async signedIn(role: OperatorRole = "admin", path = "/", look: Look = {}): Promise<Page> {
    const page = await this.open(look);
    const token = role === "admin" ? await this.adminToken() : await this.token(role);
    await page.goto(path);
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#main").waitFor();
    return page;
  }

  async adminToken(): Promise<string> {
    return (await readFile(this.fleet.env.BATON_TOKEN_FILE ?? "", "utf8")).trim();
  }

  async close(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    await this.fleet.stop({ keep: false });
  }
}

/** What the browser itself says of an answer that is a refusal: the page shows those. */
const EXPECTED =
  /^Failed to load resource: (the server responded with a status of (401|403|404|409|412|429)|net::)/;

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds wrong with the page as it is, one line each; empty when nothing. */
export async function axe(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    type Found = { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] };
    const { axe: it } = window as unknown as { axe: { run(): Promise<{ violations: Found[] }> } };
    const { violations } = await it.run();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id}: ${help} at ${target.join(" ")}: ${failureSummary ?? ""}`,
      ),
    );
  });
}
