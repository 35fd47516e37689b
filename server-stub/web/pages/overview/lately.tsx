import type { AuditEntry } from "../../../../protocol/audit.ts";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { EVERY_KIND } from "../../store/kinds.ts";
import { useStore } from "../../store/store.ts";
import { useCollection, useResource } from "../../store/use.ts";
import { pageOfSubject } from "../audit/model.ts";

const AT_MOST = 10;
const HASH = /^([0-9a-f]{12})[0-9a-f]{52}$/;

/** Who came and went is in the audit log, and no news of the fleet. */
const isNews = ({ action }: AuditEntry): boolean => !action.startsWith("sign-in");

/** What somebody changed last: the head of the audit log. */
export function Lately() {
  const { nodes } = useStore();
  useCollection(nodes);
  const lately = useResource<{ entries: readonly AuditEntry[] }>("/v1/audit?limit=40", EVERY_KIND).value;
  const shown = lately.kind === "ready" ? lately.value.entries.filter(isNews).slice(0, AT_MOST) : [];
  const nameOf = (id: string): string => nodes.get(id)?.value.name ?? id;
  return (
    <Panel title="Lately" aside={<Link to="/audit">Audit log</Link>}>
      {lately.kind === "waiting" ? (
        <Skeleton lines={6} />
      ) : lately.kind === "failed" ? (
        <ProblemNote problem={lately.problem} />
      ) : shown.length === 0 ? (
        <Empty title="Nothing has happened yet." />
      ) : (
        <ul class="news">
          {shown.map(({ id, actor, action, subject, at }) => (
            <li key={id} class="lately-item">
              <p class="name">
                <span class="mono">{action}</span>{" "}
                <Subject
                  page={pageOfSubject({ action, subject })}
                  name={nameOf(subject.replace(HASH, "$1…"))}
                />
              </p>
              <p class="soft small">
                <span class="name">
                  {actor.replace(/^node (.*)$/, (_, id: string) => `node ${nameOf(id)}`)}
                </span>{" "}
                · <Time at={at} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

const Subject = ({ page, name }: { readonly page: string | null; readonly name: string }) =>
  page === null ? name : <Link to={page}>{name}</Link>;
