/** What a node in a process of its own is told to do. */
export type Orders = {
  readonly story: string;
  /**
   * Where it kills itself: before the nth effect that it begins, or after the nth that has happened, of the guard's
   * included. Effects that overlap change places, and so each is counted where it is.
   */
  readonly when: "before" | "after" | "never";
  readonly nth: number;
  /** Once it rests, whether it is updated once more. */
  readonly update: boolean;
  /** A mutation of its disk. */
  readonly spoiled: string | null;
};

/**
 * An effect of a life. `happened`: the disk did it; to remove what is not there is no effect. `own`: it is this story's
 * to try, and not another one's.
 */
export type Done = { readonly kind: string; readonly happened: boolean; readonly own: boolean };
