import { Empty } from "../../parts/panel.tsx";
import { Link } from "../../router/link.tsx";
import { type Share, UNKNOWN } from "./model.ts";

/** How the fleet is spread over versions: bars that are read as a list. */
export function Versions({ shares }: { readonly shares: readonly Share[] }) {
  if (shares.length === 0) return <Empty title="No node runs anything yet." />;
  return (
    <ul class="versions">
      {shares.map(({ version, nodes, percent }) => (
        <li key={version}>
          <Link to={`/nodes?version=${encodeURIComponent(version)}`} class="version">
            <span class="version-name name">{version === UNKNOWN ? "not known" : version}</span>
            <span class="version-bar" aria-hidden="true">
              <span class={version === UNKNOWN ? "is-unknown" : ""} style={{ width: `${percent}%` }} />
            </span>
            <span class="version-count">
              {nodes} <span class="soft small">{Math.round(percent)} %</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
