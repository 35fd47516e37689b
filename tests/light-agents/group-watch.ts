/** Who of a group is down, by what its agents do. All agents of a group live in one process, so that nothing is missed. */
export class GroupWatch {
  readonly complaints: string[] = [];
  /** The most of one quorum group that were ever down at once. */
  mostDown = 0;
  readonly #down = new Map<string, Set<string>>();
  readonly #lastToken = new Map<string, { token: number; name: string; jobId: string }>();

  /** It was let go, and stops serving. */
  down(group: string, name: string): void {
    const down = this.#down.get(group) ?? new Set();
    this.#down.set(group, down.add(name));
    this.mostDown = Math.max(this.mostDown, down.size);
    if (down.size > 1) this.complaints.push(`two of ${group} were down at once: ${[...down].join(", ")}`);
  }

  /** It serves again. */
  up(group: string, name: string): void {
    this.#down.get(group)?.delete(name);
  }

  /** A token only rises within a group, unless the same node asks again for the same job. */
  token(group: string, token: number, name: string, jobId: string): void {
    const last = this.#lastToken.get(group);
    const repeats = last?.token === token && last.name === name && last.jobId === jobId;
    if (last !== undefined && token <= last.token && !repeats) {
      this.complaints.push(
        `${name} was given token ${token} of ${group} after ${last.name} had ${last.token}`,
      );
    }
    this.#lastToken.set(group, { token, name, jobId });
  }
}
