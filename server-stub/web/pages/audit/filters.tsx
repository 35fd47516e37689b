import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { TextField } from "../../parts/field.tsx";
import { useRouter } from "../../router/router.ts";
import { fromField, toField } from "./model.ts";

export const NOTHING_ASKED = { actor: null, action: null, subject: null, since: null, until: null };

/** After the last key. */
const TYPING_MS = 300;

/** What is looked for. Typing does not fill the history, and asks the coordinator when it has paused. */
export function AuditFilters({ query }: { readonly query: URLSearchParams }) {
  const { setQuery } = useRouter();
  return (
    <search class="fields audit-fields">
      <Typed name="actor" label="Who" placeholder="operator anna" value={query.get("actor") ?? ""} />
      <Typed
        name="action"
        label="What"
        placeholder="lease. for all about leases"
        value={query.get("action") ?? ""}
        list={ACTIONS}
      />
      <Typed
        name="subject"
        label="On"
        placeholder="an id, or a group's name"
        value={query.get("subject") ?? ""}
      />
      <TextField
        label="From"
        type="datetime-local"
        value={toField(query.get("since"))}
        onInput={(text) => setQuery({ since: fromField(text) }, { replace: true })}
      />
      <TextField
        label="Until"
        type="datetime-local"
        value={toField(query.get("until"))}
        onInput={(text) => setQuery({ until: fromField(text) }, { replace: true })}
      />
    </search>
  );
}

function Typed({
  name,
  label,
  placeholder,
  value,
  list,
}: {
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly list?: readonly string[];
}) {
  const { setQuery } = useRouter();
  const text = useSignal(value);
  useEffect(() => {
    text.value = value;
  }, [value]);
  const typed = text.value;
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => setQuery({ [name]: typed }, { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <TextField
      label={label}
      type="search"
      placeholder={placeholder}
      value={typed}
      {...(list === undefined ? {} : { list })}
      onInput={(next) => {
        text.value = next;
      }}
    />
  );
}

/** With what the actions begin. */
const ACTIONS = [
  "alert.",
  "bundle.",
  "channel.",
  "group.",
  "job.",
  "join-token.",
  "lease.",
  "node.",
  "policy.",
  "release.",
  "rollout.",
  "sign-in.",
  "token.",
  "trust.",
  "webhook.",
];
