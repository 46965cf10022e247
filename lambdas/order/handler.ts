import { createAcme } from '../acme/acme.ts';
import { newPrivateKey } from '../acme/private-keys.ts';
import { readTrustedRoots } from '../acme/trusted-roots.ts';
import { userAgent } from '../acme/user-agent.ts';
import { createAccountSecrets } from '../aws/account-secrets.ts';
import { clock, stepHandler } from '../aws/lambda.ts';
import { createLedger } from '../aws/ledger.ts';
import type { NewOrderInput, PollOrderInput, RespondToChallengesInput } from '../rules/contract.ts';
import { environment, requireVariable } from '../rules/environment.ts';
import { newOrder } from './new-order.ts';
import { pollOrder } from './poll-order.ts';
import { respondToChallenges } from './respond-to-challenges.ts';

/** Talks to the CA about orders. Holds the account key; sees no certificate's secret. */
export const handler = stepHandler((_log, atEnd) => {
  const acme = createAcme({ userAgent, ...readTrustedRoots(), now: clock.now });
  atEnd(acme.close);
  const ports = {
    accounts: createAccountSecrets({
      prefix: requireVariable(process.env, environment.accountSecretPrefix),
      stackTag: requireVariable(process.env, environment.stackTag),
    }),
    acme,
    newPrivateKey,
  };
  return {
    newOrder: (input: NewOrderInput) =>
      newOrder(input, {
        ...ports,
        ledger: createLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
      }),
    respondToChallenges: (input: RespondToChallengesInput) => respondToChallenges(input, ports),
    pollOrder: (input: PollOrderInput) => pollOrder(input, ports),
  };
});
