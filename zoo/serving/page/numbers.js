/** Numbers that were pasted: a step a line, or values one after the other. */

const MISSING = /^(nan|na|null|-|\?)$/i;

/**
 * Steps of `width` numbers each; missing values are NaN.
 *
 * @throws {Error} A word is no number, or a line has another count of numbers.
 */
export function steps(text, width) {
  const value = (word) => {
    const found = MISSING.test(word) ? NaN : Number(word);
    if (Number.isNaN(found) && !MISSING.test(word)) throw new Error(`"${word}" is no number.`);
    return found;
  };
  const split = (line) =>
    line
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map(value);
  if (width === 1) return split(text).map((each) => [each]);
  const rows = text
    .split(/\n+/)
    .map(split)
    .filter((row) => row.length);
  const place = rows.findIndex((row) => row.length !== width);
  if (place >= 0) {
    throw new Error(`Line ${place + 1} has ${rows[place].length} numbers, not ${width}.`);
  }
  return rows;
}

/** The sentence of what is wrong with a text of numbers; "" if nothing is. */
export function problemOf(text, width) {
  try {
    return steps(text, width).length ? "" : "Paste some numbers first.";
  } catch (error) {
    return error.message;
  }
}
