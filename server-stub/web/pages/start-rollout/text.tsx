import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useRouter } from "../../router/router.ts";

/** A line that is typed, and stands in the address. What is wrong with it stands below it. */
export function Text({
  id,
  name,
  field,
  placeholder,
  wrong,
}: {
  readonly id: string;
  readonly name: string;
  /** Its key of the query. */
  readonly field: string;
  readonly placeholder: string;
  readonly wrong?: string | undefined;
}) {
  const { query, setQuery } = useRouter();
  const said = query.value.get(field) ?? "";
  const text = useSignal(said);
  useEffect(() => {
    text.value = said;
  }, [said]);
  return (
    <div class="field">
      <label for={id}>{name}</label>
      <input
        id={id}
        class="input"
        placeholder={placeholder}
        autocomplete="off"
        value={text.value}
        aria-invalid={wrong === undefined ? undefined : true}
        aria-describedby={wrong === undefined ? undefined : `${id}-wrong`}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          setQuery({ [field]: text.value }, { replace: true });
        }}
      />
      {wrong === undefined ? null : (
        <p id={`${id}-wrong`} class="start-wrong small">
          {wrong}
        </p>
      )}
    </div>
  );
}
