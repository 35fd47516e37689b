import type { Alert } from "../../../../protocol/alert.ts";
import { Mark } from "../../parts/mark.tsx";
import { Empty, Panel, Skeleton } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { Link } from "../../router/link.tsx";
import { useStore } from "../../store/store.ts";
import { useCollection, useOfAll } from "../../store/use.ts";
import { KIND_NAMES, pageOf } from "../alerts/model.ts";

const AT_MOST = 6;

/** What a person should know of right now. */
export function AlertsPanel() {
  const { alerts, nodes } = useStore();
  useCollection(nodes);
  const open = useOfAll(alerts, (all) =>
    all.filter(({ resolvedAt }) => resolvedAt === null).sort((a, b) => b.raisedAt - a.raisedAt),
  );
  const more = open.value.length - AT_MOST;
  return (
    <Panel title="Open alerts" aside={<Link to="/alerts">All alerts</Link>}>
      {alerts.filled.value.kind !== "ready" ? (
        <Skeleton />
      ) : open.value.length === 0 ? (
        <Empty title="Nothing needs anybody." />
      ) : (
        <ul class="news">
          {open.value.slice(0, AT_MOST).map((alert) => (
            <li key={alert.id} class="news-item">
              <Mark tone={alert.acknowledgedAt === null ? "bad" : "warn"} />
              <div>
                <p class="name">
                  <About alert={alert} name={nodes.get(alert.subject)?.value.name} /> {alert.message}
                </p>
                <p class="soft small">
                  <Time at={alert.raisedAt} />
                  {alert.acknowledgedBy === null ? "" : ` · taken on by ${alert.acknowledgedBy}`}
                </p>
              </div>
            </li>
          ))}
          {more > 0 ? <li class="soft small">and {more} more</li> : null}
        </ul>
      )}
    </Panel>
  );
}

/** Leads to what it is about, where that has a page. */
function About({ alert, name }: { readonly alert: Alert; readonly name: string | undefined }) {
  const page = pageOf(alert);
  const text = name ?? KIND_NAMES[alert.kind];
  return page === null ? (
    <strong>{text}:</strong>
  ) : (
    <>
      <Link to={page}>{text}</Link>:
    </>
  );
}
