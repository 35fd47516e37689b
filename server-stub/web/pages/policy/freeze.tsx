import { useSignal } from "@preact/signals";
import type { Freeze } from "../../../../protocol/policy.ts";
import { Action } from "../../parts/action.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { LIFETIMES } from "../../parts/lifetime.ts";
import { Chip } from "../../parts/mark.tsx";
import { Time } from "../../parts/time.tsx";
import { useStore } from "../../store/store.ts";

/** A stop to all beginnings, by hand: who did it and why, and the way in and out of it. */
export function FreezePart({
  of,
  freeze,
  path,
  about,
}: {
  readonly of: string;
  readonly freeze: Freeze | null;
  /** Of the two actions, without their names. */
  readonly path: string;
  readonly about: string;
}) {
  const { clock } = useStore();
  const reason = useSignal("");
  const lasts = useSignal<string | null>(null);
  const asked = useSignal(0);
  return (
    <div class="stack">
      {freeze === null ? (
        <p>Not frozen.</p>
      ) : (
        <p class="name">
          <Chip tone="warn">frozen</Chip> by {freeze.by}, <Time at={freeze.at} />: {freeze.reason}{" "}
          {freeze.until === null ? (
            <span class="soft">Until it is lifted.</span>
          ) : (
            <span class="soft">
              It ends <Time at={freeze.until} />.
            </span>
          )}
        </p>
      )}
      <div class="page-actions">
        <Action
          needs="operator"
          name={freeze === null ? "Freeze" : "Freeze anew"}
          kind="danger"
          why={null}
          question={`Freeze ${of}?`}
          path={`${path}/freeze`}
          body={{
            reason: reason.value.trim(),
            until: lasts.value === null ? null : asked.value + Number(lasts.value),
          }}
          missing={reason.value.trim() === "" ? "Say why: whoever waits is told" : null}
          about={about}
          onOpen={() => {
            asked.value = clock.now.value;
          }}
          onDone={() => {
            reason.value = "";
          }}
        >
          <div class="form">
            <p>Nobody begins to be disrupted while it stands. What is in flight finishes.</p>
            <TextField
              label="Why"
              value={reason.value}
              onInput={(text) => {
                reason.value = text;
              }}
            />
            <Choice
              label="For"
              none="as long as nobody lifts it"
              value={lasts.value}
              options={LIFETIMES.slice(0, 3)}
              onChoose={(ms) => {
                lasts.value = ms;
              }}
            />
          </div>
        </Action>
        <Action
          needs="operator"
          name="Lift the freeze"
          why={freeze === null ? "It is not frozen" : null}
          question={`Lift the freeze of ${of}?`}
          path={`${path}/unfreeze`}
          about={about}
        >
          Whoever waits for its turn may begin at once.
        </Action>
      </div>
    </div>
  );
}
