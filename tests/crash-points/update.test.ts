import { testEveryPoint } from "./every-point.ts";
import { STORIES } from "./story.ts";

testEveryPoint("update", STORIES.slice(0, 1));
