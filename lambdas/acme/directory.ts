import { notAcme, problemError } from './problems.ts';
import { isRecord, type Reply, type Request } from './replies.ts';

/** RFC 8555 §7.1.1, as far as it is used. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly meta: {
    readonly termsOfService: string | null;
    /** Names. draft-ietf-acme-profiles */
    readonly profiles: readonly string[];
  };
}

/** Throws what `problemError` and `notAcme` make of any other reply. */
export function directoryFrom(reply: Reply, request: Request, now: Date): Directory {
  if (reply.status !== 200) throw problemError(reply, request, now);
  const { newNonce, newAccount, newOrder, meta } = isRecord(reply.data) ? reply.data : {};
  if (typeof newNonce !== 'string' || typeof newAccount !== 'string' || typeof newOrder !== 'string') {
    throw notAcme(request, 'newNonce, newAccount and newOrder', reply);
  }
  const { termsOfService, profiles } = isRecord(meta) ? meta : {};
  return {
    newNonce,
    newAccount,
    newOrder,
    meta: {
      termsOfService: typeof termsOfService === 'string' ? termsOfService : null,
      profiles: isRecord(profiles) ? Object.keys(profiles) : [],
    },
  };
}
