import { useComputed, useSignal } from "@preact/signals";
import type { RolloutNode, RolloutStage, RolloutSummary } from "../../../../protocol/rollout.ts";
import { Mark } from "../../parts/mark.tsx";
import type { Collection } from "../../store/collection.ts";
import { useOfAll } from "../../store/use.ts";
import { stageTone, stageWord } from "../overview/model.ts";
import type { LiveRollout } from "./live.ts";
import { Square } from "./square.tsx";

/** Squares of one stage that are drawn; of more, those that something happens to come first. */
const MOST_SQUARES = 1_000;

/** The stages from top to bottom, with a square for each node. */
export function Rail({ rollout, live }: { readonly rollout: RolloutSummary; readonly live: LiveRollout }) {
  const byStage = useOfAll(live.nodes, (all) => Map.groupBy(all, ({ stage }) => stage)).value;
  return (
    <ol class="v-rail" aria-label="Stages">
      {rollout.stages.map((stage, at) => (
        // Stages have no name but their place.
        <Stage
          key={`${at}`}
          stage={stage}
          at={at}
          rollout={rollout}
          places={byStage.get(at) ?? NOBODY}
          live={live}
        />
      ))}
    </ol>
  );
}

const NOBODY: readonly RolloutNode[] = [];

function Stage({
  stage,
  at,
  rollout,
  places,
  live,
}: {
  readonly stage: RolloutStage;
  readonly at: number;
  readonly rollout: RolloutSummary;
  readonly places: readonly RolloutNode[];
  readonly live: LiveRollout;
}) {
  const tone = stageTone(stage, rollout);
  return (
    <li class={`v-stage v-stage-${tone}`} aria-current={at === rollout.stage ? "step" : undefined}>
      <h3 class="v-stage-head">
        <Mark tone={tone} />
        <span>
          {rollout.stages.length === 1 ? "All of them" : `Stage ${at + 1}`} · {Math.round(stage.share * 100)}{" "}
          %
        </span>{" "}
        <span class="soft small">
          {stage.nodes === 1 ? "1 node" : `${stage.nodes} nodes`}, {stageWord(stage, rollout)}
        </span>
      </h3>
      {stage.reason === null || stage.reason.message === rollout.reason?.message ? null : (
        <p class="soft small name">{stage.reason.message}</p>
      )}
      {places.length === 0 ? null : (
        <Squares
          name={`Nodes of stage ${at + 1}`}
          places={places}
          nodes={live.nodes}
          live={live}
          kind={rollout.kind}
        />
      )}
    </li>
  );
}

function Squares({
  name,
  places,
  nodes,
  live,
  kind,
}: {
  readonly name: string;
  readonly places: readonly RolloutNode[];
  readonly nodes: Collection<RolloutNode>;
  readonly live: LiveRollout;
  readonly kind: RolloutSummary["kind"];
}) {
  /** The node that is pointed at: its name stands below. */
  const at = useSignal<string | null>(null);
  const said = useComputed(() => {
    const place = at.value === null ? undefined : nodes.get(at.value)?.value;
    if (place === undefined) return null;
    return `${place.name} · ${place.reason?.message ?? place.status}`;
  });
  const point = ({ target }: Event): void => {
    const square = target instanceof Element ? target.closest<HTMLElement>("[data-square]") : null;
    if (square !== null) at.value = square.dataset.square ?? null;
  };
  const shown = places.length <= MOST_SQUARES ? places : [...places].sort(byInterest).slice(0, MOST_SQUARES);
  return (
    <>
      <ul class="squares" aria-label={name} onPointerOver={point} onFocusIn={point} onKeyDown={walk}>
        {shown.map(({ nodeId }, index) => {
          const place = nodes.get(nodeId);
          return place === undefined ? null : (
            <Square key={nodeId} place={place} first={index === 0} live={live} kind={kind} />
          );
        })}
      </ul>
      <p class="squares-said small name" aria-hidden="true">
        {said.value ?? (shown.length < places.length ? `and ${places.length - shown.length} more` : "")}
      </p>
    </>
  );
}

const INTEREST: readonly RolloutNode["status"][] = ["failed", "rolled-back", "updating", "preparing"];
const byInterest = (a: RolloutNode, b: RolloutNode): number => interest(a) - interest(b);
const interest = ({ status }: RolloutNode): number => {
  const at = INTEREST.indexOf(status);
  return at === -1 ? INTEREST.length : at;
};

/** From square to square by the arrows: all of them together are one stop of the tab key. */
function walk(event: KeyboardEvent): void {
  const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const step = steps[event.key];
  const { currentTarget, target } = event;
  if (step === undefined || !(currentTarget instanceof Element) || !(target instanceof HTMLElement)) return;
  const squares = [...currentTarget.querySelectorAll<HTMLElement>("[data-square]")];
  const next = squares[squares.indexOf(target) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
