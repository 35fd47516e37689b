import type { Release } from "../../../../protocol/release.ts";
import { PageHead } from "../../parts/page-head.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll, useResource } from "../../store/use.ts";
import { Channels } from "./channels.tsx";
import { newestFirst, runsOf, sizeOf } from "./model.ts";

type Listed = {
  readonly releases: readonly Release[];
  readonly targetsVersion: number;
  readonly expiresAt: string | null;
};

/** What is published: signed by whom, for which platforms, and where it runs. */
export function ReleasesPage() {
  const { nodes } = useStore();
  const listed = useResource<Listed>("/v1/releases", ["release"]).value;
  const runs = useOfAll(nodes, runsOf).value;
  return (
    <>
      <PageHead title="Releases" />
      <Panel
        title="Published"
        aside={
          listed.kind === "ready" && listed.value.targetsVersion > 0 ? (
            <SignedBy key={listed.value.targetsVersion} {...listed.value} />
          ) : null
        }
      >
        {listed.kind === "waiting" ? (
          <Skeleton lines={4} />
        ) : listed.kind === "failed" ? (
          <ProblemNote problem={listed.problem} />
        ) : listed.value.releases.length === 0 ? (
          <Empty title="Nothing is published yet.">
            The publisher does it where the keys are: <code>baton publish BUNDLE</code>.
          </Empty>
        ) : (
          <Table
            label="Releases"
            columns={["Version", "Runs on", "Not below", "Platforms", "Size", "Build"]}
            rows={newestFirst(listed.value.releases).map((release) => row(release, runs))}
          />
        )}
      </Panel>
      <Channels releases={listed.kind === "ready" ? listed.value.releases : []} />
    </>
  );
}

function row({ version, minVersion, bundles }: Release, runs: ReadonlyMap<string, number>) {
  const count = runs.get(version) ?? 0;
  return {
    key: version,
    cells: [
      version,
      count === 0 ? (
        <span key="runs" class="soft">
          no node
        </span>
      ) : (
        <Link key="runs" to={`/nodes?version=${encodeURIComponent(version)}`}>
          {count} {count === 1 ? "node" : "nodes"}
        </Link>
      ),
      minVersion ?? "no floor",
      bundles.map(({ platform }) => platform).join(", "),
      bundles.map(({ bytes }) => sizeOf(bytes)).join(", "),
      <span key="build" class="mono">
        {bundles.map(({ platform, buildHash }) => (
          <span key={platform} title={`${platform}: ${buildHash}`}>
            {buildHash.slice(0, 12)}{" "}
          </span>
        ))}
      </span>,
    ],
  };
}

type Targets = { readonly signatures: readonly { readonly keyid: string }[] };

/** By which keys the list of all releases is signed, as every agent checks it. */
function SignedBy({ targetsVersion, expiresAt }: Listed) {
  const targets = useResource<Targets>(`/tuf/metadata/${targetsVersion}.targets.json`).value;
  return (
    <p class="soft small">
      {targets.kind === "ready" ? (
        <>
          signed by{" "}
          {targets.value.signatures.map(({ keyid }) => (
            <code key={keyid} title={keyid}>
              {keyid.slice(0, 12)}{" "}
            </code>
          ))}
        </>
      ) : null}
      · version {targetsVersion}
      {expiresAt === null ? null : (
        <>
          {" "}
          · expires <Time at={Date.parse(expiresAt)} />
        </>
      )}
    </p>
  );
}
