import { useComputed } from "@preact/signals";
import type { AuditEntry } from "../../../../protocol/audit.ts";
import { Button } from "../../parts/button.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Paged } from "../../parts/pages.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { EVERY_KIND } from "../../store/kinds.ts";
import { useStore } from "../../store/store.ts";
import { useCollection } from "../../store/use.ts";
import { usePages } from "../../store/use-pages.ts";
import { AuditFilters, NOTHING_ASKED } from "./filters.tsx";
import { auditQuery, differences, pageOfSubject } from "./model.ts";
import "./audit.css";

/** Every change that somebody made, newest first. */
export function AuditPage() {
  const { query, setQuery } = useRouter();
  const asked = useComputed(() => auditQuery(query.value).toString()).value;
  const suffix = asked === "" ? "" : `?${asked}`;
  const { pages, more } = usePages<AuditEntry>(`/v1/audit${suffix}`, "entries", EVERY_KIND);
  return (
    <>
      <PageHead title="Audit log">
        <a class="button" href={`/v1/audit/export${suffix}`} download="audit.jsonl">
          Export as JSON lines
        </a>
      </PageHead>
      <AuditFilters query={query.value} />
      <Panel title="Newest first">
        <Paged
          pages={pages.value}
          more={more}
          empty={
            <Empty title="No entry fits.">
              <Button onPress={() => setQuery(NOTHING_ASKED)}>Show all</Button>
            </Empty>
          }
        >
          {(entries) => (
            <Table
              label="Audit log"
              columns={["What", "On", "Who", "When", "Change"]}
              rows={entries.map((entry) => ({
                key: String(entry.id),
                cells: [
                  <span key="what" class="mono audit-action">
                    {entry.action}
                  </span>,
                  <Subject key="on" entry={entry} />,
                  <Actor key="who" entry={entry} />,
                  <Time key="when" at={entry.at} />,
                  <Change key="change" entry={entry} />,
                ],
              }))}
            />
          )}
        </Paged>
      </Panel>
    </>
  );
}

/** A hash is known by its beginning. */
const HASH = /^([0-9a-f]{12})[0-9a-f]{52}$/;

function Subject({ entry }: { readonly entry: AuditEntry }) {
  const { nodes } = useStore();
  useCollection(nodes);
  void nodes.keys.value;
  const page = pageOfSubject(entry);
  const text = nodes.get(entry.subject)?.value.name ?? entry.subject.replace(HASH, "$1…");
  return (
    <span class="name whole" title={entry.subject}>
      {page === null ? text : <Link to={page}>{text}</Link>}
    </span>
  );
}

function Actor({ entry: { actor, from } }: { readonly entry: AuditEntry }) {
  const { nodes } = useStore();
  void nodes.keys.value;
  const id = /^node (n-[0-9a-z]{12})$/.exec(actor)?.[1];
  const node = id === undefined ? undefined : nodes.get(id)?.value.name;
  return (
    <span class="name" title={from === "" ? undefined : `from ${from}`}>
      {node === undefined ? actor : `node ${node}`}
    </span>
  );
}

function Change({ entry }: { readonly entry: AuditEntry }) {
  const changed = differences(entry);
  if (changed.length === 0) return <span class="soft">nothing else</span>;
  return (
    <details>
      <summary>
        {changed
          .map(({ name }) => name)
          .join(", ")
          .slice(0, 80)}
      </summary>
      <dl class="change">
        {changed.map(({ name, before, after }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="name">
              {before === null ? null : <del>{before}</del>} {after === null ? null : <ins>{after}</ins>}
            </dd>
          </div>
        ))}
        {entry.requestId === undefined ? null : (
          <div>
            <dt>request</dt>
            <dd>{entry.requestId}</dd>
          </div>
        )}
      </dl>
    </details>
  );
}
