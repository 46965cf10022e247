import { createRenewalInfos } from '../adapters/acme/fetch-renewal-info.ts';
import { readTrustedRoots } from '../adapters/acme/trusted-roots.ts';
import { userAgent } from '../adapters/acme/user-agent.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { readConfig } from '../adapters/aws/lambda/deployed-config.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createCertificateSecrets } from '../adapters/aws/secrets-manager/certificate-secrets.ts';
import { createExecutions } from '../adapters/aws/step-functions/executions.ts';
import { createHostLookup } from '../adapters/dns/host-lookup.ts';
import { createTlsEndpoints } from '../adapters/tls/tls-endpoints.ts';
import { environment, requireVariable } from '../domain/contract/environment.ts';
import type {
  CheckEndpointsInput,
  CheckRenewalInput,
  RecordFailureInput,
  RecordSuccessInput,
  ResolveAccountRequestInput,
  Run,
  SetPauseInput,
} from '../domain/contract/steps.ts';
import { checkEndpoints } from './check-endpoints.ts';
import { checkRenewal } from './check-renewal.ts';
import { recordFailure } from './record-failure.ts';
import { recordSuccess } from './record-success.ts';
import { releaseLease } from './release-lease.ts';
import { resolveAccountRequest } from './resolve-account-request.ts';
import { setPause } from './set-pause.ts';
import { takeLease } from './take-lease.ts';

/**
 * Decides what to do for a certificate and records the results of renewals. It reads the ledger and the descriptions of secrets, and never a private
 * key.
 */
export const handler = stepHandler((log, atEnd) => {
  const ledger = createLedger({ table: requireVariable(process.env, environment.ledgerTable) });
  const secrets = () =>
    createCertificateSecrets({
      prefix: requireVariable(process.env, environment.secretPrefix),
      stackTag: requireVariable(process.env, environment.stackTag),
    });
  const renewalInfos = createRenewalInfos({
    userAgent,
    ...readTrustedRoots(),
    network: { lookup: createHostLookup() },
    now: clock.now,
  });
  atEnd(renewalInfos.close);
  return {
    checkRenewal: (input: CheckRenewalInput) =>
      checkRenewal(input, {
        config: readConfig(),
        ledger,
        secrets: secrets(),
        executions: createExecutions({}),
        renewalInfos,
        clock,
        log,
      }),
    checkEndpoints: (input: CheckEndpointsInput) =>
      checkEndpoints(input, {
        config: readConfig(),
        ledger,
        tlsEndpoints: createTlsEndpoints({ lookup: createHostLookup() }),
        clock,
      }),
    recordSuccess: (input: RecordSuccessInput) => recordSuccess(input, { ledger }),
    recordFailure: (input: RecordFailureInput) => recordFailure(input, { config: readConfig(), ledger, clock }),
    takeLease: (input: Run) => takeLease(input, { ledger, executions: createExecutions({}), clock }),
    setPause: (input: SetPauseInput) => setPause(input, { ledger }),
    releaseLease: (input: Run) => releaseLease(input, { ledger }),
    resolveAccountRequest: (input: ResolveAccountRequestInput) =>
      resolveAccountRequest(input, {
        config: readConfig(),
        secrets: secrets(),
      }),
  };
});
