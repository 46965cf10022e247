/**
 * Returns a function that runs work, at most `limit` pieces of it at once. Further pieces wait and start in the order in which they were
 * given. Each result and each error goes to the caller of that piece, and a piece that fails makes room for the next.
 */
export function concurrencyLimit(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = limit;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
