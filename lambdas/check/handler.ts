import { createCertificateSecrets } from '../aws/certificate-secrets.ts';
import { createExecutions } from '../aws/executions.ts';
import { clock, fleetMetrics, stepHandler } from '../aws/lambda.ts';
import { createLedger } from '../aws/ledger.ts';
import type { CheckFleetInput, CheckRenewalInput, RecordFailureInput, RecordSuccessInput } from '../rules/contract.ts';
import { environment, requireVariable } from '../rules/environment.ts';
import { checkFleet } from './check-fleet.ts';
import { checkRenewal } from './check-renewal.ts';
import { readConfig } from './config.ts';
import { recordFailure } from './record-failure.ts';
import { recordSuccess } from './record-success.ts';

/** Is it due; how did it end. Sees the ledger and descriptions, never a key. */
export const handler = stepHandler(() => {
  const ledger = createLedger({ table: requireVariable(process.env, environment.ledgerTable) });
  const config = () => readConfig(process.env[environment.configTokens]);
  return {
    checkFleet: (input: CheckFleetInput) =>
      checkFleet(input, { config: config(), ledger, metrics: fleetMetrics, clock }),
    checkRenewal: (input: CheckRenewalInput) =>
      checkRenewal(input, {
        config: config(),
        ledger,
        secrets: createCertificateSecrets({
          prefix: requireVariable(process.env, environment.secretPrefix),
          stackTag: requireVariable(process.env, environment.stackTag),
        }),
        executions: createExecutions({}),
        clock,
      }),
    recordSuccess: (input: RecordSuccessInput) => recordSuccess(input, { ledger }),
    recordFailure: (input: RecordFailureInput) => recordFailure(input, { ledger, clock }),
  };
});
