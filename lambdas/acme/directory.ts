import { notAcme, problemError } from './problems.ts';
import { isRecord, type Reply, type Request } from './replies.ts';

/** RFC 8555 §7.1.1, as far as it is used. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** `null`: the CA offers none of it. RFC 8555 §7.3.5, §7.6; RFC 9773 §4 */
  readonly keyChange: string | null;
  readonly revokeCert: string | null;
  readonly renewalInfo: string | null;
  readonly meta: {
    readonly termsOfService: string | null;
    /** Names. draft-ietf-acme-profiles */
    readonly profiles: readonly string[];
  };
}

/** Throws what `problemError` and `notAcme` make of any other reply. */
export function directoryFrom(reply: Reply, request: Request, now: Date): Directory {
  if (reply.status !== 200) throw problemError(reply, request, now);
  const resources = isRecord(reply.data) ? reply.data : {};
  const { newNonce, newAccount, newOrder, meta } = resources;
  if (typeof newNonce !== 'string' || typeof newAccount !== 'string' || typeof newOrder !== 'string') {
    throw notAcme(request, 'newNonce, newAccount and newOrder', reply);
  }
  const { termsOfService, profiles } = isRecord(meta) ? meta : {};
  const optional = (name: string) => textOrNull(resources[name]);
  return {
    newNonce,
    newAccount,
    newOrder,
    keyChange: optional('keyChange'),
    revokeCert: optional('revokeCert'),
    renewalInfo: optional('renewalInfo'),
    meta: {
      termsOfService: textOrNull(termsOfService),
      profiles: isRecord(profiles) ? Object.keys(profiles) : [],
    },
  };
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
