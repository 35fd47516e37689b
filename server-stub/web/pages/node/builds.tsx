import type { Build } from "../../../../protocol/build.ts";
import type { Node } from "../../../../protocol/node.ts";
import { Chip, Mark } from "../../parts/mark.tsx";
import { Time } from "../../parts/time.tsx";
import { behindBy } from "../nodes/model.ts";
import { hashOf } from "./model.ts";

/** What it runs, what it could go back to, where it is to go, and what it will not try. */
export function Builds({ node }: { readonly node: Node }) {
  const behind = behindBy(node);
  return (
    <div class="node-builds">
      <dl class="facts">
        <dt>
          <code>dist</code>
        </dt>
        <dd>
          <BuildName build={node.build} />{" "}
          {behind === null ? null : <Chip tone="warn">out of date · {behind}</Chip>}
        </dd>
        <dt>
          <code>dist.bak</code>
        </dt>
        <dd>
          <BuildName build={node.backup} />
        </dd>
        <dt>Desired</dt>
        <dd>{node.desired ?? <span class="soft">nothing in particular</span>}</dd>
        <dt>Latest</dt>
        <dd>{node.latest ?? <span class="soft">nothing is published for it</span>}</dd>
        <dt>Hold</dt>
        <dd>{node.hold ? "on hold: it stays on its build until told to try again" : "no"}</dd>
      </dl>
      <h3>Quarantine</h3>
      {node.quarantine.length === 0 ? (
        <p class="soft">Empty: it would try any build.</p>
      ) : (
        <ul class="holders">
          {node.quarantine.map(({ build, reason, at, provisional, by }) => (
            <li key={`${build.buildHash} ${at}`} class="holder" data-quarantined={build.version}>
              <Mark tone={provisional ? "warn" : "bad"} />
              <div>
                <p class="name">
                  <strong>{build.version}</strong>: {reason.message}
                </p>
                <p class="soft small">
                  by the {by}, <Time at={at} /> · <code title={build.buildHash}>{hashOf(build)}</code>
                  {provisional ? " · provisional: the coordinator may have been away" : ""}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function BuildName({ build }: { readonly build: Build | null }) {
  if (build === null) return <span class="soft">none known</span>;
  return (
    <>
      <strong>{build.version}</strong>{" "}
      <code class="soft" title={build.buildHash}>
        {hashOf(build)}
      </code>
    </>
  );
}
