/**
 * Words that readers of other documentation may write, in lower case and without `-`, `_` and spaces. The value is the word that is used
 * here, or a sentence that says where else the setting is.
 */
export type Synonyms = Readonly<Record<string, string>>;

/** Returns ` (did you mean "…"?)` for a synonym of a known word or a misspelled one. Otherwise the text is empty. */
export function suggestion(word: unknown, known: Iterable<string>, synonyms: Synonyms = {}): string {
  if (typeof word !== 'string') return '';
  const words = [...known];
  const synonym = synonymOf(word, synonyms);
  const best = words.find((each) => each === synonym) ?? closestWord(word, words);
  return best === undefined ? '' : ` (did you mean ${JSON.stringify(best)}?)`;
}

/** Returns the entry of a word, however it is capitalised or hyphenated. */
export function synonymOf(word: string, synonyms: Synonyms): string | undefined {
  const key = word.toLowerCase().replaceAll(/[-_ ]/g, '');
  return Object.hasOwn(synonyms, key) ? synonyms[key] : undefined;
}

/** Returns the known word that is at most two edits away, or one edit for words of less than five characters. */
export function closestWord(word: string, known: readonly string[]): string | undefined {
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= (candidate.length < 5 ? 1 : 2) && edits < (best?.edits ?? Infinity)) best = { word: candidate, edits };
  }
  return best?.word;
}

/** Returns the smallest number of insertions, deletions and substitutions of one character, and of swaps of two neighbours. */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const edits = [substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1];
      next.push(Math.min(...edits, ...(swapped ? [(previous[j - 2] ?? 0) + 1] : [])));
    }
    previous = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
