import type { Group } from "../../../../protocol/group.ts";
import { Action } from "../../parts/action.tsx";
import { Facts } from "../../parts/facts.tsx";
import { State } from "../../parts/mark.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Since, Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";
import { lockOf } from "./model.ts";
import { OpenFleetLock } from "./open-fleet-lock.tsx";

/** Machines that ask by FleetLock for leave to reboot: whether they may, who they are, and who has the lock. */
export function FleetLockPanel({ group, path }: { readonly group: Group; readonly path: string }) {
  const { nodes } = useStore();
  const { name, fleetLock } = group;
  const clients = useOfAll(nodes, (all) =>
    all
      .filter(({ client, group: its }) => client !== undefined && its === name)
      .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
  ).value;
  return (
    <Panel
      title="FleetLock"
      aside={
        <div class="buttons">
          {fleetLock === undefined ? null : (
            <Action
              needs="admin"
              name="Close"
              label={`Close FleetLock in ${name}`}
              why={null}
              question={`Close FleetLock in ${name}?`}
              path={`${path}/fleet-lock/close`}
              about={name}
            >
              No client can lock or unlock any more. A lock that is held stays held: let it come back first.
              Its clients stay members until they are removed.
            </Action>
          )}
          <OpenFleetLock group={group} path={path} />
        </div>
      }
    >
      <div class="stack">
        {fleetLock === undefined ? (
          <Empty title="It is closed here.">
            Opened, machines that speak FleetLock, such as Fedora CoreOS by Zincati, share this group's lease:
            one reboot or update at a time.
          </Empty>
        ) : (
          <Facts
            of={[
              ["Password", fleetLock.basicAuth ? "wanted of its clients" : "not wanted of anybody"],
              ["New clients", fleetLock.autoApprove ? "are let in at once" : "wait for approval"],
              ["Their vote", fleetLock.voter ? "one in the quorum" : "none"],
            ]}
          />
        )}
        {clients.length === 0 ? (
          fleetLock === undefined ? null : (
            <p class="soft">No client has asked yet.</p>
          )
        ) : (
          <Table
            label={`FleetLock clients of ${name}`}
            columns={["Client", "Lock", "Asked last", "Votes"]}
            rows={clients.map((node) => {
              const { tone, word } = lockOf(node, group);
              const { holder } = group.lease;
              return {
                key: node.id,
                cells: [
                  <Link key="name" to={`/nodes/${node.id}`} class="name">
                    {node.name}
                  </Link>,
                  <State key="lock" tone={tone}>
                    {node.membership === "pending" ? <Link to="/join">{word}</Link> : word}
                    {holder?.nodeId === node.id ? (
                      <>
                        {" "}
                        for <Since at={holder.since} />
                      </>
                    ) : null}
                  </State>,
                  node.lastSeenAt === null ? "never" : <Time key="seen" at={node.lastSeenAt} />,
                  node.voter ? "yes" : "no",
                ],
              };
            })}
          />
        )}
      </div>
    </Panel>
  );
}
