import { printable } from '../../domain/contract/printable-text.ts';
import { problemError } from './problems.ts';
import { isRecord, type LocatedReply, notAcme, type Request, unreadable } from './replies.ts';
import { identifierField, textField, urlField } from './reply-fields.ts';

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

/** Reads a directory at this URL. Throws the error of `problemError` or `notAcme` for any other reply. */
export function directoryFrom(reply: LocatedReply, request: Request, now: Date): Directory {
  if (reply.status !== 200) throw problemError(reply, request, now);
  const resources = isRecord(reply.data) ? reply.data : {};
  const url = (name: string) => urlField(resources[name], reply.url);
  const [newNonce, newAccount, newOrder] = [url('newNonce'), url('newAccount'), url('newOrder')];
  if (newNonce === null || newAccount === null || newOrder === null) {
    throw notAcme(request, unreadable({ newNonce, newAccount, newOrder }), reply);
  }
  const { termsOfService, profiles, caaIdentities } = isRecord(resources.meta) ? resources.meta : {};
  return {
    newNonce,
    newAccount,
    newOrder,
    keyChange: url('keyChange'),
    revokeCert: url('revokeCert'),
    renewalInfo: url('renewalInfo'),
    meta: {
      termsOfService: textField(termsOfService, longestLink),
      profiles: isRecord(profiles) ? profileNames(profiles) : [],
      caaIdentities: caaNames(caaIdentities),
    },
  };
}

/** Longest link to the terms of service, in characters. */
const longestLink = 500;

/** Largest number of profiles that are read, and the longest name of one. Let's Encrypt has three. */
const mostProfiles = 100;
const longestProfile = 100;

const profileNames = (profiles: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.keys(profiles)
    .slice(0, mostProfiles)
    .map((name) => printable(name, longestProfile));

/** Largest number of names that is kept, and of their characters together, because ledger and state have them. CAs with many brands have about twenty. */
const mostCaaIdentities = 50;
const longestCaaIdentities = 2000;

function caaNames(value: unknown): readonly string[] {
  const names = Array.isArray(value) ? value.flatMap((each) => identifierField(each) ?? []) : [];
  let room = longestCaaIdentities;
  return [...new Set(names)].slice(0, mostCaaIdentities).filter(({ length }) => {
    room -= length;
    return room >= 0;
  });
}
