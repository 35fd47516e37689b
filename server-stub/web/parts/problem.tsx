import type { Problem } from "../../../protocol/problem.ts";
import { Mark } from "./mark.tsx";
import "./problem.css";

/** What was refused or went wrong: what happened, and what to do. */
export function ProblemNote({ problem }: { readonly problem: Problem }) {
  return (
    <div class="problem" role="alert">
      <Mark tone="bad" />
      <div>
        <p>{problem.detail}</p>
        {problem.hint === undefined ? null : <p class="soft small">{problem.hint}</p>}
        {problem.requestId === undefined ? null : (
          <p class="soft small">
            Request <code>{problem.requestId}</code>
          </p>
        )}
      </div>
    </div>
  );
}
