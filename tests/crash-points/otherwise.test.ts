import { testEveryPoint } from "./every-point.ts";
import { STORIES } from "./story.ts";

testEveryPoint("otherwise", STORIES.slice(1));
