import type { Compilable, CompiledQuery, Kysely, QueryResult } from "kysely";
import type { Tables } from "./tables.ts";

/** Whatever can run a query: the database, or a transaction on it. */
export type Runner = Pick<Kysely<Tables>, "executeQuery">;

/** Stands where a value will be; what the query builder passes through to the compiled query's parameters. */
class Hole {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A query that is built and compiled once and then only filled in: the builder costs more than the database does.
 * `build` is given a function that stands for the parameter of that name. May be run any number of times.
 */
export function prepare<P extends Record<string, string | number | null>, O>(
  build: (param: <K extends keyof P & string>(name: K) => P[K]) => Compilable<O>,
): (runner: Runner, params: P) => Promise<QueryResult<O>> {
  const compiled: CompiledQuery<O> = build((name) => new Hole(name) as never).compile();
  return (runner, params) => {
    const parameters = compiled.parameters.map((value) =>
      value instanceof Hole ? params[value.name] : value,
    );
    return runner.executeQuery<O>({ ...compiled, parameters });
  };
}
