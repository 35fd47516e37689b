import type { ComponentChildren } from "preact";
import "./button.css";

/**
 * A button that, when it cannot be pressed, says why: the reason is its description, and shown on hover and focus.
 * It stays focusable then, or nobody with a keyboard would ever learn the reason.
 */
export function Button({
  kind = "plain",
  why = null,
  label,
  onPress,
  type = "button",
  children,
}: {
  /** `primary`: what one came for; `danger`: what cannot be taken back. */
  readonly kind?: "plain" | "primary" | "danger" | "quiet";
  /** Why it cannot be pressed; null when it can. */
  readonly why?: string | null;
  /** Its name, where what it shows does not say enough. */
  readonly label?: string;
  readonly onPress?: () => void;
  readonly type?: "button" | "submit";
  readonly children: ComponentChildren;
}) {
  return (
    <button
      type={type}
      class={`button button-${kind}`}
      aria-label={label === undefined ? undefined : why === null ? label : `${label}: ${why}`}
      aria-disabled={why === null ? undefined : true}
      title={why ?? undefined}
      onClick={(event) => {
        if (why !== null) return event.preventDefault();
        onPress?.();
      }}
    >
      {children}
    </button>
  );
}
