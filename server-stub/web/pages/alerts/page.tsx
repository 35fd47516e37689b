import { useComputed } from "@preact/signals";
import type { Alert } from "../../../../protocol/alert.ts";
import { Choice } from "../../parts/field.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Paged } from "../../parts/pages.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Link } from "../../router/link.tsx";
import { useRouter } from "../../router/router.ts";
import { usePages } from "../../store/use-pages.ts";
import { AlertItem } from "./item.tsx";
import { alertsQuery, KIND_NAMES } from "./model.ts";
import "./alerts.css";

/** What a person should know of: open until it is right again, which resolves it. */
export function AlertsPage() {
  const { query, setQuery } = useRouter();
  const asked = useComputed(() => alertsQuery(query.value)).value;
  const { pages, more } = usePages<Alert>(`/v1/alerts?${asked}`, "alerts", ["alert"]);
  const all = query.value.get("state") === "all";
  return (
    <>
      <PageHead title="Alerts" />
      <search class="fields">
        <Choice
          label="Show"
          value={all ? "all" : "open"}
          options={[
            ["open", "open"],
            ["all", "resolved ones too"],
          ]}
          onChoose={(state) => setQuery({ state: state === "all" ? "all" : null })}
        />
        <Choice
          label="Kind"
          none="all"
          value={query.value.get("kind")}
          options={Object.entries(KIND_NAMES)}
          onChoose={(kind) => setQuery({ kind })}
        />
      </search>
      <Panel title={all ? "Open and resolved" : "Open"}>
        <Paged
          pages={pages.value}
          more={more}
          empty={
            <Empty title={all ? "There has been no such alert." : "Nothing needs anybody."}>
              {all ? (
                "An alert is raised by what happens, and resolved by what follows."
              ) : (
                <Link to="/alerts?state=all">What was resolved</Link>
              )}
            </Empty>
          }
        >
          {(alerts) => (
            <ul class="alerts">
              {alerts.map((alert) => (
                <AlertItem key={alert.id} alert={alert} />
              ))}
            </ul>
          )}
        </Paged>
      </Panel>
    </>
  );
}
