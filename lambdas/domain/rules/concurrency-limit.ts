/**
 * Returns a function that runs tasks, at most `limit` of them at once. Further tasks wait and start in the order in which they were given. The
 * caller of a task receives its result or its error. The next task starts after success and after failure.
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
