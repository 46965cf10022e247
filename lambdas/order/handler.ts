import { createAcme } from '../adapters/acme/acme.ts';
import { newPrivateKey } from '../adapters/acme/private-keys.ts';
import { readTrustedRoots } from '../adapters/acme/trusted-roots.ts';
import { userAgent } from '../adapters/acme/user-agent.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createAccountSecrets } from '../adapters/aws/secrets-manager/account-secrets.ts';
import { createExternalAccountKeys } from '../adapters/aws/secrets-manager/external-account-keys.ts';
import { withKnownKeys } from '../adapters/aws/secrets-manager/known-account-keys.ts';
import { createHostLookup } from '../adapters/dns/host-lookup.ts';
import { environment, readTags, requireVariable } from '../domain/contract/environment.ts';
import type {
  AccountLinkInput,
  CheckOrderInput,
  IssuerInput,
  NewOrderInput,
  PollOrderInput,
  RespondToChallengesInput,
} from '../domain/contract/steps.ts';
import { checkOrder } from './check-order.ts';
import { deactivateAccount } from './deactivate-account.ts';
import { newOrder } from './new-order.ts';
import { pollOrder } from './poll-order.ts';
import { readAccountLink } from './read-account-link.ts';
import { registerAccount } from './register-account.ts';
import { respondToChallenges } from './respond-to-challenges.ts';
import { rollOverKey } from './roll-over-key.ts';

/** Sends the requests about orders and accounts to the CA. It uses the account key, and cannot read the secret of a certificate. */
export const handler = stepHandler((log, atEnd) => {
  const acme = createAcme({
    userAgent,
    ...readTrustedRoots(),
    network: { lookup: createHostLookup() },
    now: clock.now,
  });
  atEnd(acme.close);
  const ledger = createLedger({ table: requireVariable(process.env, environment.ledgerTable) });
  const accounts = createAccountSecrets({
    prefix: requireVariable(process.env, environment.accountSecretPrefix),
    stackTag: requireVariable(process.env, environment.stackTag),
    tags: readTags(process.env),
    kmsKeyId: process.env[environment.encryptionKey],
  });
  const ports = {
    accounts: withKnownKeys(accounts, ledger),
    acme,
    externalAccountKey: createExternalAccountKeys(),
    newPrivateKey,
    ledger,
    clock,
    log,
  };
  return {
    newOrder: (input: NewOrderInput) => newOrder(input, ports),
    checkOrder: (input: CheckOrderInput) => checkOrder(input, ports),
    respondToChallenges: (input: RespondToChallengesInput) => respondToChallenges(input, ports),
    pollOrder: (input: PollOrderInput) => pollOrder(input, ports),
    registerAccount: (input: IssuerInput) => registerAccount(input, ports),
    rollOverKey: (input: IssuerInput) => rollOverKey(input, ports),
    readAccountLink: (input: AccountLinkInput) => readAccountLink(input, ports),
    deactivateAccount: (input: IssuerInput) => deactivateAccount(input, ports),
  };
});
