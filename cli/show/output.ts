/** A place to write to: standard output or standard error. */
export type Output = {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal; null when it is none. */
  readonly columns: number | null;
  /** Height of the terminal; null when it is none. */
  readonly rows: number | null;
  /** Calls `listener` whenever the size changes, until the returned function is called. */
  onResize(listener: () => void): () => void;
};

export const outputOf = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  get isTerminal() {
    return stream.isTTY === true;
  },
  get columns() {
    return stream.isTTY === true ? stream.columns : null;
  },
  get rows() {
    return stream.isTTY === true ? stream.rows : null;
  },
  onResize: (listener) => {
    stream.on("resize", listener);
    return () => void stream.off("resize", listener);
  },
});
