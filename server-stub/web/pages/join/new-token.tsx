import { useSignal } from "@preact/signals";
import type { Group } from "../../../../protocol/group.ts";
import { Action } from "../../parts/action.tsx";
import { Check, Choice, TextField } from "../../parts/field.tsx";
import { LIFETIMES, ttlOf } from "../../parts/lifetime.ts";
import { Secret } from "../../parts/secret.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";

/** A token by which nodes join a group, and the line to run on them, shown once. */
export function NewJoinToken() {
  const { groups } = useStore();
  const names = useOfAll(groups, (all: readonly Group[]) => all.map(({ name }) => name).sort()).value;
  const chosen = useSignal<string | null>(null);
  const uses = useSignal("1");
  const lifetime = useSignal<string | null>("86400000");
  const voter = useSignal(true);
  const autoApprove = useSignal(false);
  const made = useSignal<string | null>(null);
  const group = chosen.value ?? names[0] ?? null;
  return (
    <>
      <Action
        needs="admin"
        name="New join token"
        kind="primary"
        why={names.length === 0 ? "There is no group yet: make one first" : null}
        question="Make a join token?"
        path="/v1/join-tokens"
        body={{
          group,
          uses: Number(uses.value),
          voter: voter.value,
          autoApprove: autoApprove.value,
          ...ttlOf(lifetime.value),
        }}
        missing={/^[1-9]\d{0,3}$/.test(uses.value) ? null : "It is good for 1 to 9,999 nodes"}
        onDone={(answer) => {
          made.value = (answer as { command: string }).command;
        }}
      >
        <div class="form">
          <Choice
            label="Group"
            value={group}
            options={names.map((name) => [name, name])}
            onChoose={(name) => {
              chosen.value = name;
            }}
          />
          <TextField
            label="For how many nodes"
            type="number"
            value={uses.value}
            onInput={(text) => {
              uses.value = text;
            }}
          />
          <Choice
            label="Good for"
            none="ever"
            value={lifetime.value}
            options={LIFETIMES}
            onChoose={(ms) => {
              lifetime.value = ms;
            }}
          />
          <Check
            label="They have a vote in the group's quorum"
            value={voter.value}
            onChange={(value) => {
              voter.value = value;
            }}
          />
          <Check
            label="They need nobody's approval"
            value={autoApprove.value}
            onChange={(value) => {
              autoApprove.value = value;
            }}
          />
        </div>
      </Action>
      {made.value === null ? null : (
        <Secret
          title="Run this on the node"
          text={made.value}
          onClose={() => {
            made.value = null;
          }}
        >
          It holds the token, which is shown this once. The coordinator keeps only its hash.
        </Secret>
      )}
    </>
  );
}
