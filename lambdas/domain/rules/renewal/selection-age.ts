/**
 * Returns the time without a selection of due certificates after which operators look at the fleet, in seconds. It is two check intervals, and an hour,
 * because the schedule starts a run up to an hour late.
 */
export const longestWithoutSelection = (checkInterval: number): number => 2 * checkInterval + 3600;

/** Tells whether the last selection is too long ago. `checkInterval` is in seconds. */
export const isSelectionLate = (lastSelection: string, checkInterval: number, now: Date): boolean =>
  now.getTime() - Date.parse(lastSelection) > 1000 * longestWithoutSelection(checkInterval);
