import type { Target } from "../target.ts";
import { targets as answers } from "./answers.ts";
import { targets as archives } from "./archives.ts";
import { targets as pages } from "./pages.ts";
import { targets as settings } from "./settings.ts";
import { targets as texts } from "./texts.ts";
import { targets as trust } from "./trust.ts";

/** Everything that needs no coordinator to be tried, by what it is about. */
export const parserTargets: readonly (readonly [about: string, targets: readonly Target[]])[] = [
  ["texts", texts],
  ["answers", answers],
  ["settings", settings],
  ["pages", pages],
  ["archives", archives],
  ["trust", trust],
];
