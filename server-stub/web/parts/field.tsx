/** What can be typed or chosen, each under its label. */
import { useId } from "preact/hooks";
import "./field.css";

export function TextField({
  label,
  value,
  onInput,
  help,
  placeholder,
  type = "text",
  list,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** What it is for, or how it is written. */
  readonly help?: string;
  readonly placeholder?: string;
  readonly type?: "text" | "search" | "number" | "date" | "datetime-local";
  /** What one may choose from; something else may be typed. */
  readonly list?: readonly string[];
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="input"
        type={type}
        autoComplete="off"
        spellcheck={false}
        placeholder={placeholder}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        list={list === undefined ? undefined : `${id}-list`}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {list === undefined ? null : (
        <datalist id={`${id}-list`}>
          {list.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      {help === undefined ? null : (
        <p id={`${id}-help`} class="soft small">
          {help}
        </p>
      )}
    </div>
  );
}

/** `none`: what nothing chosen is called; without it something is always chosen. */
export function Choice({
  label,
  value,
  options,
  none,
  onChoose,
}: {
  readonly label: string;
  readonly value: string | null;
  readonly options: readonly (readonly [value: string, name: string])[];
  readonly none?: string;
  readonly onChoose: (value: string | null) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        value={value ?? ""}
        onChange={(event) => onChoose(event.currentTarget.value === "" ? null : event.currentTarget.value)}
      >
        {none === undefined ? null : <option value="">{none}</option>}
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Check({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />{" "}
      {label}
    </label>
  );
}
