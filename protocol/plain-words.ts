/** Everything that moves a terminal's cursor, turns text around or is no character at all; line breaks are left. */
const UNPRINTABLE = /[^\P{C}\n]|[\u2028\u2029]/gu;

/** Words from outside as they may be shown, logged and reported, whoever chose them: not endless, and nothing but text. */
export const plainWords = (text: string, maxCharacters = 1_000): string => {
  const plain = text.replace(UNPRINTABLE, " ");
  return plain.length > maxCharacters ? `${plain.slice(0, maxCharacters - 1)}…` : plain;
};
