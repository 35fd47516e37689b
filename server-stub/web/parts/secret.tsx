import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import "./secret.css";

/** A secret, shown this once: it is nowhere else, and gone when the dialog is closed. */
export function Secret({
  title,
  text,
  onClose,
  children,
}: {
  readonly title: string;
  /** What is to be copied. */
  readonly text: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const copied = useSignal(false);
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="soft">{children}</div>
      <code class="secret">{text}</code>
      <div class="dialog-actions">
        {isSecureContext ? (
          <Button
            onPress={() => {
              void navigator.clipboard.writeText(text).then(() => {
                copied.value = true;
              });
            }}
          >
            {copied.value ? "Copied" : "Copy"}
          </Button>
        ) : null}
        <Button kind="primary" onPress={onClose}>
          I have it
        </Button>
      </div>
    </Dialog>
  );
}
