import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { OperatorRole } from "../../../protocol/access.ts";
import type { AuditEntry } from "../../../protocol/audit.ts";
import type { Problem } from "../../../protocol/problem.ts";
import { useStore } from "../store/store.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ProblemNote } from "./problem.tsx";
import "./field.css";
import { Time } from "./time.tsx";

type Asked = {
  /** What the button says. */
  readonly name: string;
  readonly kind?: "plain" | "primary" | "danger";
  readonly question: string;
  /** What will happen. */
  readonly children: ComponentChildren;
  readonly path: string;
  readonly method?: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** What has to be typed before it is done, and what that is: nobody types it by habit. */
  readonly typed?: { readonly word: string; readonly called: string };
  /** What is still to be filled in among the children; null when nothing is. */
  readonly missing?: string | null;
  /** Subject of the audit log by which it is told who was faster. */
  readonly about?: string;
  /** ETag of what was seen; what has changed since is not written over. */
  readonly ifMatch?: string | null;
  readonly onDone?: (answer: unknown) => void;
};

/**
 * A button that changes something, after a question. Who may not do it sees no button; where it cannot be done now,
 * the button says why. What the coordinator refuses all the same is shown where it was asked for: somebody else may
 * have been faster, and is named then.
 */
export function Action({
  needs,
  label,
  why,
  onOpen,
  ...asked
}: Asked & {
  readonly needs: OperatorRole;
  /** Its name for who does not see what is beside it. */
  readonly label?: string;
  /** Why it cannot be done now; null when it can. */
  readonly why: string | null;
  readonly onOpen?: () => void;
}) {
  const { session } = useStore();
  const asking = useSignal(false);
  if (!session.may(needs)) return null;
  const { name, kind = "plain" } = asked;
  return (
    <>
      <Button
        kind={kind}
        why={why}
        label={label ?? name}
        onPress={() => {
          asking.value = true;
          onOpen?.();
        }}
      >
        {name}
      </Button>
      {asking.value ? (
        <Question
          {...asked}
          onClose={() => {
            asking.value = false;
          }}
        />
      ) : null}
    </>
  );
}

/** Apart from its button: of ten thousand rows each has the one, and hardly any the other. */
function Question({
  name,
  kind = "plain",
  question,
  children,
  path,
  method = "POST",
  body,
  typed,
  missing = null,
  about,
  ifMatch = null,
  onDone,
  onClose,
}: Asked & { readonly onClose: () => void }) {
  const { client } = useStore();
  const busy = useSignal(false);
  const refused = useSignal<Problem | null>(null);
  const said = useSignal("");
  const faster = useSignal<AuditEntry | null>(null);
  const act = async (): Promise<void> => {
    busy.value = true;
    const answer = await client.send(method, path, body, ifMatch);
    busy.value = false;
    if (answer.ok) {
      onClose();
      onDone?.(answer.value);
      return;
    }
    refused.value = answer.error;
    if (about === undefined || !RACE.has(answer.error.status)) return;
    const log = await client.get<{ entries: readonly AuditEntry[] }>(
      `/v1/audit?limit=1&subject=${encodeURIComponent(about)}`,
    );
    faster.value = log.ok ? (log.value.entries[0] ?? null) : null;
  };
  return (
    <Dialog title={question} onClose={onClose}>
      <div class="soft">{children}</div>
      {typed === undefined ? null : (
        <div class="field">
          <label for="typed">
            Type {typed.called}: <strong class="name">{typed.word}</strong>
          </label>
          <input
            id="typed"
            class="input"
            autocomplete="off"
            value={said.value}
            onInput={(event) => {
              said.value = event.currentTarget.value;
            }}
          />
        </div>
      )}
      {refused.value === null ? null : <ProblemNote problem={refused.value} />}
      {faster.value === null ? null : (
        <p class="small">
          The last change was <span class="mono">{faster.value.action}</span> by{" "}
          <span class="name">{faster.value.actor}</span>, <Time at={faster.value.at} />.
        </p>
      )}
      <div class="dialog-actions">
        <Button onPress={onClose}>Not now</Button>
        <Button
          kind={kind === "plain" ? "primary" : kind}
          why={
            busy.value
              ? "It is being asked for"
              : typed !== undefined && said.value.trim() !== typed.word
                ? `Type ${typed.word} first`
                : missing
          }
          onPress={() => void act()}
        >
          {name}
        </Button>
      </div>
    </Dialog>
  );
}

/** Refusals that mean: it is no longer as you saw it. */
const RACE: ReadonlySet<number> = new Set([404, 409, 412]);
