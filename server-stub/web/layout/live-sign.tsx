import { Button } from "../parts/button.tsx";
import { Mark } from "../parts/mark.tsx";
import { Since } from "../parts/time.tsx";
import { useStore } from "../store/store.ts";
import "./live-sign.css";

/** Whether what is on the page is true right now: small while it is, not to be overlooked while it is not. */
export function LiveSign() {
  const { live } = useStore().stream;
  if (live.value.kind === "stale") return null;
  const isLive = live.value.kind === "live";
  return (
    <p class="live-sign" data-live={live.value.kind}>
      <Mark tone={isLive ? "good" : "idle"} />
      {isLive ? "Live" : "Connecting"}
    </p>
  );
}

/** Over the whole page while the stream of events is lost. */
export function StaleBanner() {
  const { stream } = useStore();
  const live = stream.live.value;
  return (
    <div role="status" class="stale-place">
      {live.kind === "stale" ? (
        <div class="stale" data-live="stale">
          <Mark tone="warn" />
          <p>
            <strong>
              Not live for <Since at={live.since} />.
            </strong>{" "}
            What you see may be old: {live.why}. It goes on where it was as soon as the coordinator answers.
          </p>
          <Button onPress={() => stream.tryNow()}>Try now</Button>
        </div>
      ) : null}
    </div>
  );
}
