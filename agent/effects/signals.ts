/** What signals say to the daemon. */

export type SignalOrders = {
  /** SIGTERM or SIGINT; once each, so that the same one again ends the process where it stands. */
  stop(signal: NodeJS.Signals): void;
  /** SIGHUP. */
  reload(): void;
};

/**
 * Listens from now on, since a signal that nobody listens to ends the process where it stands. What comes before there is
 * anybody to obey is kept until there is: call what is returned, once, with who obeys.
 */
export function listenForSignals(): (orders: SignalOrders) => void {
  const kept: ((orders: SignalOrders) => void)[] = [];
  let orders: SignalOrders | null = null;
  const say = (order: (to: SignalOrders) => void): void => {
    if (orders === null) kept.push(order);
    else order(orders);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => say((to) => to.stop(signal)));
  process.on("SIGHUP", () => say((to) => to.reload()));
  return (to) => {
    orders = to;
    for (const order of kept) order(to);
  };
}
