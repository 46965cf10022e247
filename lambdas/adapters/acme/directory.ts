import { notAcme, problemError } from './problems.ts';
import { isRecord, type Reply, type Request } from './replies.ts';

/** The fields of a directory that are used. RFC 8555 §7.1.1 */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** This and the next two are `null` if the CA does not offer them. RFC 8555 §7.3.5 and §7.6, RFC 9773 §4 */
  readonly keyChange: string | null;
  readonly revokeCert: string | null;
  readonly renewalInfo: string | null;
  readonly meta: {
    readonly termsOfService: string | null;
    /** Names of profiles. draft-ietf-acme-profiles */
    readonly profiles: readonly string[];
    /** Names that CAA records use for this CA, in lower case and without a trailing dot. */
    readonly caaIdentities: readonly string[];
  };
}

/** Reads a directory. Throws the error of `problemError` or `notAcme` for any other reply. */
export function directoryFrom(reply: Reply, request: Request, now: Date): Directory {
  if (reply.status !== 200) throw problemError(reply, request, now);
  const resources = isRecord(reply.data) ? reply.data : {};
  const { newNonce, newAccount, newOrder, meta } = resources;
  if (typeof newNonce !== 'string' || typeof newAccount !== 'string' || typeof newOrder !== 'string') {
    throw notAcme(request, 'newNonce, newAccount and newOrder', reply);
  }
  const { termsOfService, profiles, caaIdentities } = isRecord(meta) ? meta : {};
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
      caaIdentities: caaNames(caaIdentities),
    },
  };
}

/** Largest number of names that is kept, because the ledger stores them. CAs with many brands have about twenty. */
const mostCaaIdentities = 50;

function caaNames(value: unknown): readonly string[] {
  const texts = Array.isArray(value) ? value.filter((each) => typeof each === 'string' && each.length <= 253) : [];
  const names = texts.map((text: string) => text.toLowerCase().replace(/\.$/, '')).filter((name) => name !== '');
  return [...new Set(names)].slice(0, mostCaaIdentities);
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
