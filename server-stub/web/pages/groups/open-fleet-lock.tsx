import { useSignal } from "@preact/signals";
import type { FleetLockOpened } from "../../../../protocol/fleet-lock.ts";
import type { Group } from "../../../../protocol/group.ts";
import { Action } from "../../parts/action.tsx";
import { Check } from "../../parts/field.tsx";
import { Secret } from "../../parts/secret.tsx";
import { baseUrlOf } from "./model.ts";

/** Lets clients in, with a password that is shown once; again, with another one and other rules. */
export function OpenFleetLock({
  group: { name, fleetLock },
  path,
}: {
  readonly group: Group;
  readonly path: string;
}) {
  const basicAuth = useSignal(true);
  const autoApprove = useSignal(false);
  const voter = useSignal(false);
  const made = useSignal<string | null>(null);
  const isOpen = fleetLock !== undefined;
  const action = isOpen ? "Open anew" : "Open";
  return (
    <>
      <Action
        needs="admin"
        name={action}
        label={`${action}: FleetLock in ${name}`}
        why={null}
        question={isOpen ? `Open FleetLock in ${name} anew?` : `Open ${name} to FleetLock?`}
        path={`${path}/fleet-lock`}
        body={{ basicAuth: basicAuth.value, autoApprove: autoApprove.value, voter: voter.value }}
        about={name}
        onOpen={() => {
          basicAuth.value = fleetLock?.basicAuth ?? true;
          autoApprove.value = fleetLock?.autoApprove ?? false;
          voter.value = fleetLock?.voter ?? false;
        }}
        onDone={(answer) => {
          const opened = answer as FleetLockOpened;
          made.value = opened.password === null ? null : baseUrlOf(location.origin, opened);
        }}
      >
        <div class="form">
          <p>
            {isOpen
              ? "Its clients stay. A password replaces the one before: who has that one is refused from now on."
              : "Its clients take the same lease as agents, and are held to the same windows and freezes."}
          </p>
          <Check
            label="They need a password"
            value={basicAuth.value}
            onChange={(value) => {
              basicAuth.value = value;
            }}
          />
          <Check
            label="New ones need nobody's approval"
            value={autoApprove.value}
            onChange={(value) => {
              autoApprove.value = value;
            }}
          />
          <Check
            label="New ones have a vote in the group's quorum"
            value={voter.value}
            onChange={(value) => {
              voter.value = value;
            }}
          />
        </div>
      </Action>
      {made.value === null ? null : (
        <Secret
          title="The clients' base_url"
          text={made.value}
          onClose={() => {
            made.value = null;
          }}
        >
          It holds the password, which is shown this once. The coordinator keeps only its hash.
        </Secret>
      )}
    </>
  );
}
