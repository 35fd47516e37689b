import { useSignal } from "@preact/signals";
import type { Group } from "../../../../protocol/group.ts";
import type { Channel } from "../../../../protocol/policy.ts";
import type { Release } from "../../../../protocol/release.ts";
import { Action } from "../../parts/action.tsx";
import { Check, Choice, TextField } from "../../parts/field.tsx";
import { Paged } from "../../parts/pages.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { useStore } from "../../store/store.ts";
import { useOfAll } from "../../store/use.ts";
import { usePages } from "../../store/use-pages.ts";
import { whyNoGroupName } from "../groups/model.ts";
import { newestFirst } from "./model.ts";

/** Names for releases that move on, and who follows them. */
export function Channels({ releases }: { readonly releases: readonly Release[] }) {
  const { groups } = useStore();
  const { pages, more } = usePages<Channel>("/v1/channels", "channels", ["channel", "group"]);
  const followers = useOfAll(groups, followersOf).value;
  return (
    <Panel title="Channels" aside={<NewChannel />}>
      <Paged
        pages={pages.value}
        more={more}
        empty={
          <Empty title="There is no channel.">
            A channel is a name for a release that moves on, such as <em>stable</em>: groups follow it.
          </Empty>
        }
      >
        {(channels) => (
          <Table
            label="Channels"
            columns={["Name", "Release", "Moved", "Followed by", "When it moves", ""]}
            rows={channels.map((channel) => ({
              key: channel.name,
              cells: [
                <span key="name" class="name">
                  {channel.name}
                </span>,
                channel.release ?? "none yet",
                channel.promotedAt === null ? "never" : <Time key="moved" at={channel.promotedAt} />,
                <span key="followers" class="name">
                  {followers.get(channel.name)?.join(", ") ?? "nobody"}
                </span>,
                channel.startOnPublish ? "a rollout starts" : "nothing by itself",
                <div key="actions" class="buttons">
                  <Promote channel={channel} releases={releases} />
                  <Action
                    needs="admin"
                    name="Remove"
                    label={`Remove the channel ${channel.name}`}
                    kind="danger"
                    why={followers.has(channel.name) ? "Groups follow it" : null}
                    question={`Remove the channel ${channel.name}?`}
                    path={`/v1/channels/${encodeURIComponent(channel.name)}`}
                    method="DELETE"
                    about={channel.name}
                  >
                    No release is removed by it.
                  </Action>
                </div>,
              ],
            }))}
          />
        )}
      </Paged>
    </Panel>
  );
}

function followersOf(groups: readonly Group[]): ReadonlyMap<string, readonly string[]> {
  const followers = new Map<string, string[]>();
  for (const { name, channel } of groups)
    if (channel !== null) followers.set(channel, [...(followers.get(channel) ?? []), name]);
  return followers;
}

function Promote({
  channel,
  releases,
}: {
  readonly channel: Channel;
  readonly releases: readonly Release[];
}) {
  const chosen = useSignal<string | null>(null);
  const versions = newestFirst(releases).map(({ version }) => version);
  const release = chosen.value ?? versions[0] ?? null;
  return (
    <Action
      needs="operator"
      name="Move"
      label={`Move the channel ${channel.name}`}
      why={versions.length === 0 ? "Nothing is published yet" : null}
      question={`Move ${channel.name} to a release?`}
      path={`/v1/channels/${encodeURIComponent(channel.name)}/promote`}
      body={{ release }}
      missing={release === channel.release ? `It is at ${release} already` : null}
      about={channel.name}
    >
      <div class="form">
        <p>
          {channel.startOnPublish
            ? "A rollout of it starts by itself."
            : "No node moves by it; a rollout brings them there."}
        </p>
        <Choice
          label="Release"
          value={release}
          options={versions.map((version) => [version, version])}
          onChoose={(version) => {
            chosen.value = version;
          }}
        />
      </div>
    </Action>
  );
}

function NewChannel() {
  const name = useSignal("");
  const starts = useSignal(false);
  return (
    <Action
      needs="admin"
      name="New channel"
      why={null}
      question="Make a channel?"
      path={`/v1/channels/${encodeURIComponent(name.value.trim())}`}
      method="PUT"
      body={{ startOnPublish: starts.value }}
      missing={whyNoGroupName(name.value.trim())}
      about={name.value.trim()}
      onDone={() => {
        name.value = "";
      }}
    >
      <div class="form">
        <TextField
          label="Name"
          placeholder="stable"
          value={name.value}
          onInput={(text) => {
            name.value = text;
          }}
        />
        <Check
          label="A release that it moves to starts a rollout by itself"
          value={starts.value}
          onChange={(value) => {
            starts.value = value;
          }}
        />
      </div>
    </Action>
  );
}
