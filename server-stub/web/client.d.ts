/** What a file that is no module becomes: a style sheet is part of the build's own. */
declare module "*.css";
