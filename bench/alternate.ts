/**
 * Measures two things in turns, A B A B …, so that whatever else the machine does meets both alike. The first turn
 * of each is thrown away: it warms what a second one finds warm. Answers what the two returned.
 */
export async function alternate(
  turns: number,
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<{ a: number[]; b: number[] }> {
  const measured = { a: [] as number[], b: [] as number[] };
  for (let turn = 0; turn <= turns; turn += 1) {
    const [ofA, ofB] = [await a(), await b()];
    if (turn === 0) continue;
    measured.a.push(ofA);
    measured.b.push(ofB);
  }
  return measured;
}
