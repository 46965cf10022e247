import { createHash } from 'node:crypto';
import type { Tags } from '../../contract/environment.ts';

/**
 * Returns the SHA-256 in hex over the operator's tags, in any order, or `undefined` if there are none. The ledger has the hash of the tags that
 * were set on a secret or an import. A different hash causes the tags to be set again, and never an order.
 */
export function tagsHash(tags: Tags): string | undefined {
  const entries = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length > 0 ? createHash('sha256').update(JSON.stringify(entries)).digest('hex') : undefined;
}
