import { printable } from '../../domain/contract/printable-text.ts';

/** A lookup failed. The message gives the reason and is written to end a sentence. It may quote a reply, so it has printable characters only. */
export class LookupError extends Error {
  override name = 'LookupError';

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message, longestReason), options);
  }
}

/** Longest message in characters. It has room for a name of 253 characters and the faults of several servers. */
const longestReason = 1000;

/** The promised value, or `null` when the time ends first. Throws `LookupError` as soon as the signal aborts. */
export async function within<T>(milliseconds: number, promised: Promise<T>, signal?: AbortSignal): Promise<T | null> {
  const end = Promise.withResolvers<null>();
  const timer = setTimeout(() => end.resolve(null), milliseconds);
  try {
    return await unlessAborted(Promise.race([promised, end.promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** The promised value. Throws `LookupError` as soon as the signal aborts. */
export async function unlessAborted<T>(promised: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promised;
  const end = Promise.withResolvers<never>();
  const abort = () => end.reject(new LookupError('the time for the whole lookup is over'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promised, end.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
