/** Every page, by the address that it is at. A page of its own folder is one line here. */
import type { ComponentType } from "preact";
import { JobPage } from "./jobs/job-page.tsx";
import { JobsPage } from "./jobs/page.tsx";
import { NodesPage } from "./nodes/page.tsx";
import { OverviewPage } from "./overview/page.tsx";

export type Page = {
  /** Parts such as `:nodeId` are handed to the component as `params`. */
  readonly path: string;
  /** What the navigation calls it; a page without is come to from others. */
  readonly nav?: string;
  readonly component: ComponentType<{ readonly params: Readonly<Record<string, string>> }>;
};

export const PAGES: readonly Page[] = [
  { path: "/", nav: "Overview", component: OverviewPage },
  { path: "/nodes", nav: "Nodes", component: NodesPage },
  { path: "/jobs", nav: "Jobs", component: JobsPage },
  { path: "/jobs/:jobId", component: JobPage },
];
