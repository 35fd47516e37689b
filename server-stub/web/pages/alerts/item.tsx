import { useSignal } from "@preact/signals";
import type { Alert } from "../../../../protocol/alert.ts";
import { Action } from "../../parts/action.tsx";
import { TextField } from "../../parts/field.tsx";
import { Chip } from "../../parts/mark.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useCollection } from "../../store/use.ts";
import { titleOf } from "../rollout/words.ts";
import { KIND_NAMES, pageOf, standingOf, whyNoAcknowledge } from "./model.ts";

/** One alert: what it is about, who has taken it on, and what resolved it. */
export function AlertItem({ alert }: { readonly alert: Alert }) {
  const { nodes, rollouts } = useStore();
  useCollection(nodes);
  useCollection(rollouts);
  void rollouts.keys.value;
  void nodes.keys.value;
  const note = useSignal("");
  const { tone, word } = standingOf(alert);
  const page = pageOf(alert);
  const rollout = rollouts.get(alert.subject)?.value;
  const about =
    nodes.get(alert.subject)?.value.name ?? (rollout === undefined ? alert.subject : titleOf(rollout));
  return (
    <li class="alert" data-alert={alert.id}>
      <div class="alert-what">
        <p>
          <Chip tone={tone}>{word}</Chip> <strong>{KIND_NAMES[alert.kind]}</strong>{" "}
          <span class="name">{page === null ? about : <Link to={page}>{about}</Link>}</span>
        </p>
        <p class="name">{alert.message}</p>
        <p class="soft small">
          raised <Time at={alert.raisedAt} />
        </p>
        {alert.acknowledgedAt === null ? null : (
          <p class="soft small name">
            taken on by {alert.acknowledgedBy}, <Time at={alert.acknowledgedAt} />
            {alert.note === null ? "" : `: ${alert.note}`}
          </p>
        )}
        {alert.resolvedAt === null ? null : (
          <p class="small name">
            resolved <Time at={alert.resolvedAt} />
            {alert.resolvedBy === null ? "" : `: ${alert.resolvedBy}`}
          </p>
        )}
      </div>
      {alert.resolvedAt === null ? (
        <Action
          needs="operator"
          name="Take on"
          label={`Take on: ${alert.message}`}
          why={whyNoAcknowledge(alert)}
          question="Take this alert on?"
          path={`/v1/alerts/${alert.id}/ack`}
          body={note.value.trim() === "" ? {} : { note: note.value.trim() }}
          about={String(alert.id)}
        >
          <p>Everybody sees that you look after it. It resolves by itself all the same.</p>
          <TextField
            label="Note"
            placeholder="what you know of it"
            value={note.value}
            onInput={(text) => {
              note.value = text;
            }}
          />
        </Action>
      ) : null}
    </li>
  );
}
