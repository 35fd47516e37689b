import type { Group } from "../../../../protocol/group.ts";
import { Action } from "../../parts/action.tsx";
import { Facts } from "../../parts/facts.tsx";
import { State } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { useStore } from "../../store/store.ts";
import { useResource } from "../../store/use.ts";
import { FreezePart } from "../policy/freeze.tsx";
import { Windows } from "../policy/windows.tsx";
import { EditGroup } from "./edit.tsx";
import { FleetLockPanel } from "./fleet-lock.tsx";
import { LeasePanel } from "./lease.tsx";
import { Members } from "./members.tsx";
import { gateOf, quorumOf, quorumTone } from "./model.ts";

/** One group: who is in it, who votes, who holds its lease, and when anybody in it may be disrupted. */
export function GroupPage({ params: { group = "" } }: { readonly params: Readonly<Record<string, string>> }) {
  return <OneGroup key={group} name={group} />;
}

function OneGroup({ name }: { readonly name: string }) {
  const path = `/v1/groups/${encodeURIComponent(name)}`;
  const group = useResource<Group>(
    path,
    ["group", "lease", "node", "node-removed", "policy"],
    ({ kind, subject, value }) =>
      kind === "policy" ||
      kind === "node-removed" ||
      (kind === "node" ? (value as { group?: string } | null)?.group === name : subject === name),
  ).value;
  if (group.kind === "ready") return <Known group={group.value} path={path} />;
  return (
    <>
      <PageHead title={name} />
      {group.kind === "waiting" ? (
        <Skeleton lines={8} />
      ) : (
        <>
          <ProblemNote problem={group.problem} />
          <p>
            <Link to="/groups">All groups</Link>
          </p>
        </>
      )}
    </>
  );
}

function Known({ group, path }: { readonly group: Group; readonly path: string }) {
  const { client } = useStore();
  const router = useRouter();
  const { name, mode, desired, channel, gate, windows, freeze } = group;
  const open = gateOf(group);
  const tag = client.tagOf(path);
  return (
    <>
      <PageHead title={name}>
        <EditGroup group={group} path={path} />
        <Action
          needs="admin"
          name="Remove"
          kind="danger"
          why={group.nodes === 0 ? null : `It has ${group.nodes} ${group.nodes === 1 ? "node" : "nodes"}`}
          question={`Remove the group ${name}?`}
          path={path}
          method="DELETE"
          about={name}
          ifMatch={tag}
          onDone={() => router.go("/groups")}
        >
          Its join tokens are revoked.
        </Action>
      </PageHead>
      <Panel title="What it is" aside={<State tone={open.tone}>{open.word}</State>}>
        <div class="stack">
          {gate === null ? null : <p class="name">{gate.message}</p>}
          <Facts
            of={[
              ["Mode", mode],
              [
                "Voters",
                <State key="voters" tone={quorumTone(group)}>
                  {quorumOf(group)}
                </State>,
              ],
              ["Desired", desired ?? "no release yet"],
              ["Channel", channel === null ? "none" : <Link to="/releases">{channel}</Link>],
            ]}
          />
        </div>
      </Panel>
      <LeasePanel group={group} path={path} />
      <Members group={group} />
      <FleetLockPanel group={group} path={path} />
      <Panel title="Freeze">
        <FreezePart of={name} freeze={freeze} path={path} about={name} />
      </Panel>
      <Panel
        title="Windows"
        aside={
          <div class="buttons">
            <Action
              needs="admin"
              name="As the fleet"
              why={windows === null ? "It has the fleet's already" : null}
              question={`Give ${name} the fleet's windows?`}
              path={path}
              method="PATCH"
              body={{ windows: null }}
              about={name}
              ifMatch={tag}
            >
              Its own windows are forgotten.
            </Action>
            <Action
              needs="admin"
              name="Always open"
              why={windows !== null && windows.length === 0 ? "It is always open already" : null}
              question={`Let ${name} be disrupted at any time?`}
              path={path}
              method="PATCH"
              body={{ windows: [] }}
              about={name}
              ifMatch={tag}
            >
              The fleet's windows do not hold for it any more.
            </Action>
          </div>
        }
      >
        {windows === null ? (
          <Windows
            of={name}
            windows={[]}
            none={
              <>
                The fleet's, as the <Link to="/policy">policy</Link> has them. A window of its own stands in
                place of all of them.
              </>
            }
            path={path}
            about={name}
          />
        ) : (
          <Windows of={name} windows={windows} path={path} about={name} />
        )}
      </Panel>
    </>
  );
}
