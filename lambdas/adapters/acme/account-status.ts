import type { Issuer } from '../../domain/contract/config.ts';
import {
  AccountDoesNotExistError,
  AccountNotValidError,
  PerennialError,
  UnauthorizedError,
} from '../../domain/contract/errors.ts';
import { asContactRefused } from './problems.ts';
import { isRecord, type Reply } from './replies.ts';
import { wordField } from './reply-fields.ts';
import type { Session } from './session.ts';

/**
 * Reads an account with POST-as-GET, and throws `AccountNotValidError` for an account that is deactivated or revoked. RFC 8555 §7.1.2, §7.3.6. A CA
 * that does not support this request tells nothing about the account.
 */
export async function checkAccount(issuer: Issuer, url: string, session: Session): Promise<void> {
  try {
    assertValid(await session.post({ issuer: issuer.name, what: `the account ${url}` }, url, null), issuer, url);
  } catch (error) {
    const unsupported = error instanceof PerennialError && [405, 501].includes(error.problem?.status ?? 0);
    if (!unsupported) throw error instanceof UnauthorizedError ? notValid(issuer, url, error) : error;
  }
}

/** Replaces the contact of an account with that of the issuer. RFC 8555 §7.3.2 */
export async function updateContact({ contact, ...issuer }: Issuer, url: string, session: Session): Promise<void> {
  const request = { issuer: issuer.name, what: `a changed contact for the account ${url}` };
  const reply = await session.post(request, url, { contact }).catch((error: unknown) => {
    throw error instanceof UnauthorizedError ? notValid(issuer, url, error) : asContactRefused(error);
  });
  assertValid(reply, issuer, url);
}

/**
 * Returns the session of an account, whose requests tell a deactivated or revoked account from other reasons for `unauthorized`. After such a refusal
 * the account is read. If it is valid or cannot be read, the refusal itself is thrown.
 */
export function withAccountStatus(issuer: Issuer, account: { readonly url: string }, session: Session): Session {
  return {
    ...session,
    async post(request, url, payload) {
      try {
        return await session.post(request, url, payload);
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error;
        const reason = await checkAccount(issuer, account.url, session).catch((found: unknown) => found);
        throw reason instanceof AccountNotValidError || reason instanceof AccountDoesNotExistError ? reason : error;
      }
    },
  };
}

function assertValid({ data }: Reply, { name: issuer }: Pick<Issuer, 'name'>, url: string): void {
  const status = isRecord(data) ? wordField(data.status) : null;
  if (status !== 'deactivated' && status !== 'revoked') return;
  throw new AccountNotValidError({ what: `The account ${url} at ${issuer} is ${status}.`, remedy, issuer });
}

const remedy =
  'Find out who ended it. Only the owner of the key can deactivate an account, and only the CA can revoke one. Then delete the account secret, and the ' +
  'next order registers a new account.';

const notValid = ({ name: issuer }: Pick<Issuer, 'name'>, url: string, { explanation, problem }: UnauthorizedError) =>
  new AccountNotValidError({
    what: `${issuer} accepts no request of the account ${url}, which is usually deactivated or revoked.`,
    ...(explanation.why && { why: explanation.why }),
    remedy,
    issuer,
    problem,
  });
