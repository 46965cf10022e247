import { createRenewalInfos } from '../acme/renewal-info.ts';
import { readTrustedRoots } from '../acme/trusted-roots.ts';
import { userAgent } from '../acme/user-agent.ts';
import { createCertificateSecrets } from '../aws/certificate-secrets.ts';
import { createExecutions } from '../aws/executions.ts';
import { clock, fleetMetrics, stepHandler } from '../aws/lambda.ts';
import { createLedger } from '../aws/ledger.ts';
import type { ResolveAccountRequestInput } from '../rules/account-request.ts';
import type {
  CheckEndpointsInput,
  CheckFleetInput,
  CheckRenewalInput,
  RecordFailureInput,
  RecordSuccessInput,
} from '../rules/contract.ts';
import { environment, requireVariable } from '../rules/environment.ts';
import { createTlsEndpoints } from '../tls/tls-endpoints.ts';
import { checkEndpoints } from './check-endpoints.ts';
import { checkFleet } from './check-fleet.ts';
import { checkRenewal } from './check-renewal.ts';
import { readConfig } from './config.ts';
import { recordFailure } from './record-failure.ts';
import { recordSuccess } from './record-success.ts';
import { resolveAccountRequest } from './resolve-account-request.ts';

/** Is it due; how did it end. Sees the ledger and descriptions, never a key. */
export const handler = stepHandler((log, atEnd) => {
  const ledger = createLedger({ table: requireVariable(process.env, environment.ledgerTable) });
  const config = () => readConfig(process.env[environment.configTokens]);
  const secrets = () =>
    createCertificateSecrets({
      prefix: requireVariable(process.env, environment.secretPrefix),
      stackTag: requireVariable(process.env, environment.stackTag),
    });
  const renewalInfos = createRenewalInfos({ userAgent, ...readTrustedRoots(), now: clock.now });
  atEnd(renewalInfos.close);
  return {
    checkFleet: (input: CheckFleetInput) =>
      checkFleet(input, { config: config(), ledger, renewalInfos, metrics: fleetMetrics, clock, log }),
    checkRenewal: (input: CheckRenewalInput) =>
      checkRenewal(input, {
        config: config(),
        ledger,
        secrets: secrets(),
        executions: createExecutions({}),
        renewalInfos,
        clock,
        log,
      }),
    checkEndpoints: (input: CheckEndpointsInput) =>
      checkEndpoints(input, { ledger, tlsEndpoints: createTlsEndpoints(), clock }),
    recordSuccess: (input: RecordSuccessInput) => recordSuccess(input, { ledger }),
    recordFailure: (input: RecordFailureInput) => recordFailure(input, { config: config(), ledger, clock }),
    resolveAccountRequest: (input: ResolveAccountRequestInput) =>
      resolveAccountRequest(input, {
        config: config(),
        ledger,
        secrets: secrets(),
        executions: createExecutions({}),
      }),
  };
});
