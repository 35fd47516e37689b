/** The coordinator's API, as far as a row needs it to set the stage and to look. */
import { readFile } from "node:fs/promises";
import type { Fleet } from "../examples/demo/fleet.ts";

export class Api {
  readonly #url: string;
  readonly #token: string;

  static async of(fleet: Fleet): Promise<Api> {
    return new Api(fleet.url, (await readFile(fleet.env.BATON_TOKEN_FILE ?? "", "utf8")).trim());
  }

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Throws what was answered when that was no success. */
  async call<T>(method: "GET" | "POST", path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }
}
