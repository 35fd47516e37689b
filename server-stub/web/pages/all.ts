/** Every page, by the address that it is at. A page of its own folder is one line here. */
import type { ComponentType } from "preact";
import { AlertsPage } from "./alerts/page.tsx";
import { AuditPage } from "./audit/page.tsx";
import { GroupPage } from "./groups/group-page.tsx";
import { GroupsPage } from "./groups/page.tsx";
import { JobPage } from "./jobs/job-page.tsx";
import { JobsPage } from "./jobs/page.tsx";
import { JoinPage } from "./join/page.tsx";
import { NodePage } from "./node/page.tsx";
import { NodesPage } from "./nodes/page.tsx";
import { OverviewPage } from "./overview/page.tsx";
import { PolicyPage } from "./policy/page.tsx";
import { ReleasesPage } from "./releases/page.tsx";
import { RolloutPage } from "./rollout/page.tsx";
import { RolloutsPage } from "./rollouts/page.tsx";
import { StartRolloutPage } from "./start-rollout/page.tsx";
import { TokensPage } from "./tokens/page.tsx";

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
  { path: "/nodes/:nodeId", component: NodePage },
  { path: "/rollouts", nav: "Rollouts", component: RolloutsPage },
  { path: "/rollouts/new", component: StartRolloutPage },
  { path: "/rollouts/:rolloutId", component: RolloutPage },
  { path: "/groups", nav: "Groups", component: GroupsPage },
  { path: "/groups/:group", component: GroupPage },
  { path: "/releases", nav: "Releases", component: ReleasesPage },
  { path: "/jobs", nav: "Jobs", component: JobsPage },
  { path: "/jobs/:jobId", component: JobPage },
  { path: "/alerts", nav: "Alerts", component: AlertsPage },
  { path: "/join", nav: "Join", component: JoinPage },
  { path: "/policy", nav: "Policy", component: PolicyPage },
  { path: "/tokens", nav: "Tokens", component: TokensPage },
  { path: "/audit", nav: "Audit log", component: AuditPage },
];
