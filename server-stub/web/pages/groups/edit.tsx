import { useSignal } from "@preact/signals";
import type { Group } from "../../../../protocol/group.ts";
import type { Channel } from "../../../../protocol/policy.ts";
import { Action } from "../../parts/action.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { useStore } from "../../store/store.ts";
import { useResource } from "../../store/use.ts";
import { whyNoSpare } from "./model.ts";

/** Mode, spare and channel. What somebody else has changed meanwhile is not written over. */
export function EditGroup({ group, path }: { readonly group: Group; readonly path: string }) {
  const { client } = useStore();
  const channels = useResource<{ channels: readonly Channel[] }>("/v1/channels?limit=1000", [
    "channel",
  ]).value;
  const mode = useSignal<string>(group.mode);
  const spare = useSignal("");
  const channel = useSignal<string | null>(null);
  const tag = useSignal<string | null>(null);
  const names = channels.kind === "ready" ? channels.value.channels.map(({ name }) => name) : [];
  return (
    <Action
      needs="admin"
      name="Edit"
      label={`Edit ${group.name}`}
      why={null}
      question={`Change ${group.name}?`}
      path={path}
      method="PATCH"
      body={{
        mode: mode.value,
        spare: spare.value.trim() === "" ? null : Number(spare.value),
        channel: channel.value,
      }}
      missing={whyNoSpare(spare.value)}
      about={group.name}
      ifMatch={tag.value}
      onOpen={() => {
        mode.value = group.mode;
        spare.value = group.spare === null ? "" : String(group.spare);
        channel.value = group.channel;
        tag.value = client.tagOf(path);
      }}
    >
      <div class="form">
        <Choice
          label="Mode"
          value={mode.value}
          options={[
            ["quorum", "quorum"],
            ["independent", "independent"],
          ]}
          onChoose={(chosen) => {
            mode.value = chosen ?? group.mode;
          }}
        />
        <TextField
          label="Spare voters"
          help="Serving voters to keep beyond the quorum; nothing takes the default."
          value={spare.value}
          onInput={(text) => {
            spare.value = text;
          }}
        />
        <Choice
          label="Channel"
          none="follows none"
          value={channel.value}
          options={names.map((name) => [name, name])}
          onChoose={(name) => {
            channel.value = name;
          }}
        />
      </div>
    </Action>
  );
}
