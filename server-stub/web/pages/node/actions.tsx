import type { JobStarted, Node } from "../../../../protocol/node.ts";
import { Action } from "../../parts/action.tsx";
import { useRouter } from "../../router/router.ts";
import { whyNoUpdate } from "../nodes/model.ts";
import { refusedHere, whyNotDiagnose, whyNotRetry, whyNotRollBack } from "./model.ts";

/** What can be done with this one node: where it cannot be done now, why. */
export function NodeActions({ node, diagnosing }: { readonly node: Node; readonly diagnosing: boolean }) {
  const router = useRouter();
  const refused = refusedHere(node);
  const { id, name, group, latest, backup, build } = node;
  const toJob = (answer: unknown): void => router.go(`/jobs/${(answer as JobStarted).jobId}`);
  return (
    <>
      {refused === null ? (
        <Action
          needs="operator"
          about={id}
          kind="primary"
          name="Update now"
          why={whyNoUpdate(node)}
          question={`Update ${name} to ${latest}?`}
          path={`/v1/nodes/${id}/update`}
          body={{ release: latest }}
        >
          It fetches and checks the release, waits for the lease of {group}, and goes back by itself if the
          new build does not become healthy.
        </Action>
      ) : (
        <Action
          needs="operator"
          about={id}
          kind="primary"
          name={`Try ${latest} again`}
          why={whyNotRetry(node)}
          question={`Try ${latest} on ${name} again?`}
          path={`/v1/nodes/${id}/update`}
          body={{ release: latest, retry: true }}
        >
          {refused} Trying again lifts that, and begins the update anew.
        </Action>
      )}
      <Action
        needs="operator"
        about={id}
        kind="danger"
        name="Roll back"
        why={whyNotRollBack(node)}
        question={`Bring ${name} back to ${backup?.version ?? "the build before"}?`}
        path={`/v1/nodes/${id}/rollback`}
        typed={{ word: name, called: "the node's name" }}
      >
        It leaves {build?.version ?? "its build"}, by the lease of {group} like any update, and stays there,
        on hold, until it is told to try again.
      </Action>
      <Action
        needs="operator"
        about={id}
        name="Diagnose"
        why={whyNotDiagnose(node, diagnosing)}
        question={`Let ${name} look at itself?`}
        path={`/v1/nodes/${id}/diagnose`}
        body={{}}
        onDone={toJob}
      >
        What <code>agent doctor</code> finds there goes into the log of a job. It needs no lease and changes
        nothing.
      </Action>
    </>
  );
}
