import { type ReadonlySignal, useSignal } from "@preact/signals";
import { Component } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Job, LogLine } from "../../../../protocol/job.ts";
import { Button } from "../../parts/button.tsx";
import { Panel, Skeleton } from "../../parts/panel.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { useJobLog } from "./follow.ts";
import { plainText } from "./plain-text.ts";

/** So near to the end one is at the end. */
const NEAR_PX = 24;

/** The log, which follows while one is at its end, and stays where one reads otherwise. */
export function JobLogPanel({ job, ended }: { readonly job: Job; readonly ended: ReadonlySignal<boolean> }) {
  const log = useJobLog(job.id, ended);
  const follows = useSignal(true);
  const box = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLDivElement>(null);
  const toEnd = (): void => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  };
  // What is far from the window is laid out only when it comes near, so that the end moves: it is kept.
  useEffect(() => {
    if (text.current === null || box.current === null) return;
    // What scrolls is come to by the keyboard as well.
    box.current.tabIndex = 0;
    const observer = new ResizeObserver(() => {
      if (follows.peek()) toEnd();
    });
    observer.observe(text.current);
    return () => observer.disconnect();
  }, [log.value.lines === 0]);
  const { parts, lines, whole, problem } = log.value;
  return (
    <Panel
      title="Log"
      aside={
        <div class="log-actions">
          <p class="soft small" data-log={whole ? "whole" : "follows"}>
            {lines} {lines === 1 ? "line" : "lines"}
            {whole ? "" : follows.value ? " · following" : " · not following"}
          </p>
          {follows.value || lines === 0 ? null : (
            <Button
              onPress={() => {
                follows.value = true;
                toEnd();
              }}
            >
              To the end
            </Button>
          )}
          <Button
            why={lines === 0 ? "There is nothing in it yet" : null}
            onPress={() => download(job.id, parts)}
          >
            Download
          </Button>
        </div>
      }
    >
      {problem !== null ? <ProblemNote problem={problem} /> : null}
      {lines === 0 && problem === null ? (
        whole ? (
          <p class="soft">Nothing was written.</p>
        ) : (
          <Skeleton lines={4} />
        )
      ) : null}
      {lines === 0 ? null : (
        <div
          ref={box}
          class="log"
          role="log"
          aria-label="Log"
          aria-live="off"
          onScroll={({ currentTarget: at }) => {
            follows.value = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR_PX;
          }}
        >
          <div ref={text}>
            {parts.map((part) => (
              <Part key={part[0]?.index} lines={part} />
            ))}
          </div>
        </div>
      )}
    </Panel>
  );
}

/** Drawn once, and again only while lines are added to it; not laid out while it is far from what is seen. */
class Part extends Component<{ readonly lines: readonly LogLine[] }> {
  override shouldComponentUpdate(next: { readonly lines: readonly LogLine[] }): boolean {
    return next.lines !== this.props.lines;
  }
  override render() {
    return (
      <div class="log-part">
        {this.props.lines.map(({ index, at, source, step, text }) => (
          <p key={index} class="log-line">
            <span class="log-at">{clockTime(at)}</span> <span class="log-step">{step ?? source}</span>{" "}
            <span class="name">{plainText(text)}</span>
          </p>
        ))}
      </div>
    );
  }
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });
const clockTime = (at: number): string => CLOCK.format(at);

function download(id: string, parts: readonly (readonly LogLine[])[]): void {
  const text = parts
    .flat()
    .map(
      ({ at, source, step, text: said }) =>
        `${new Date(at).toISOString()} ${source} ${step ?? "-"} ${plainText(said)}\n`,
    );
  const url = URL.createObjectURL(new Blob(text, { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${id}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
