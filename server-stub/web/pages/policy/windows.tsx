import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Window } from "../../../../protocol/policy.ts";
import { parseSpan } from "../../../../protocol/span.ts";
import { Action } from "../../parts/action.tsx";
import { TextField } from "../../parts/field.tsx";
import { Table } from "../../parts/table.tsx";
import { useStore } from "../../store/store.ts";
import { spanOf } from "./model.ts";

/** When nodes may be disrupted, and how to change it: of the fleet, and of one group, alike. */
export function Windows({
  of,
  windows,
  none = "No window: always open.",
  path,
  about,
}: {
  /** Whose they are, in a sentence. */
  readonly of: string;
  readonly windows: readonly Window[];
  /** What is said when there is none. */
  readonly none?: ComponentChildren;
  /** What is changed: it takes `windows`. */
  readonly path: string;
  readonly about: string;
}) {
  const { client } = useStore();
  const tag = client.tagOf(path);
  return (
    <div class="stack">
      {windows.length === 0 ? (
        <p>{none}</p>
      ) : (
        <Table
          label={`Windows of ${of}`}
          columns={["Opens", "Time zone", "For", ""]}
          rows={windows.map((window, at) => ({
            key: `${at} ${window.cron}`,
            cells: [
              <code key="cron">{window.cron}</code>,
              window.timezone,
              spanOf(window.durationMs),
              <Action
                key="remove"
                needs="admin"
                name="Remove"
                label={`Remove the window ${window.cron}`}
                kind="danger"
                why={null}
                question={`Remove the window ${window.cron}?`}
                path={path}
                method="PATCH"
                body={{ windows: windows.filter((_, each) => each !== at) }}
                about={about}
                ifMatch={tag}
              >
                {windows.length === 1
                  ? "It is the last one: without any, it is always open."
                  : "The others stay as they are."}
              </Action>,
            ],
          }))}
        />
      )}
      <div>
        <AddWindow of={of} windows={windows} path={path} about={about} tag={tag} />
      </div>
    </div>
  );
}

function AddWindow({
  of,
  windows,
  path,
  about,
  tag,
}: {
  readonly of: string;
  readonly windows: readonly Window[];
  readonly path: string;
  readonly about: string;
  readonly tag: string | null;
}) {
  const cron = useSignal("");
  const timezone = useSignal(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const span = useSignal("4h");
  const durationMs = parseSpan(span.value);
  return (
    <Action
      needs="admin"
      name="Add a window"
      why={windows.length >= 50 ? "There are 50 already" : null}
      question={`When may ${of} be disrupted?`}
      path={path}
      method="PATCH"
      body={{
        windows: [...windows, { cron: cron.value.trim(), timezone: timezone.value.trim(), durationMs }],
      }}
      missing={
        cron.value.trim().split(/\s+/).length !== 5
          ? "Say when it opens, in five fields"
          : durationMs === null
            ? "Say for how long, such as 4h"
            : null
      }
      about={about}
      ifMatch={tag}
      onDone={() => {
        cron.value = "";
      }}
    >
      <div class="form">
        <TextField
          label="Opens"
          placeholder="0 2 * * 6"
          help="Minute, hour, day, month, weekday, as cron has them: 0 2 * * 6 is Saturdays at two."
          value={cron.value}
          onInput={(text) => {
            cron.value = text;
          }}
        />
        <TextField
          label="Time zone"
          value={timezone.value}
          onInput={(text) => {
            timezone.value = text;
          }}
        />
        <TextField
          label="For"
          help="90m, 4h or 2d; a week at most."
          value={span.value}
          onInput={(text) => {
            span.value = text;
          }}
        />
      </div>
    </Action>
  );
}
