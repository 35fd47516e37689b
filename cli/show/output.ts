/** A place to write to: standard output or standard error. */
export type Output = {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal; null when it is none. */
  readonly columns: number | null;
};

export const outputOf = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  get isTerminal() {
    return stream.isTTY === true;
  },
  get columns() {
    return stream.isTTY === true ? stream.columns : null;
  },
});
