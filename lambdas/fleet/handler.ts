import { createRenewalInfos } from '../adapters/acme/fetch-renewal-info.ts';
import { readTrustedRoots } from '../adapters/acme/trusted-roots.ts';
import { userAgent } from '../adapters/acme/user-agent.ts';
import { createFleetLedger } from '../adapters/aws/dynamodb/fleet-ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { readConfig } from '../adapters/aws/lambda/deployed-config.ts';
import { fleetMetrics } from '../adapters/aws/lambda/fleet-metrics.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createExecutions } from '../adapters/aws/step-functions/executions.ts';
import { environment, requireVariable } from '../domain/contract/environment.ts';
import type {
  FleetRun,
  RefreshRenewalInformationInput,
  SelectDueCertificatesInput,
} from '../domain/contract/fleet-steps.ts';
import { handOverFleetLease } from './hand-over-fleet-lease.ts';
import { refreshRenewalInformation } from './refresh-renewal-information.ts';
import { releaseFleetLease } from './release-fleet-lease.ts';
import { selectDueCertificates } from './select-due-certificates.ts';
import { takeFleetLease } from './take-fleet-lease.ts';

/** Finds out which certificates of the whole fleet are due. It reads the ledger and asks CAs for renewal information, and reads no secret. */
export const handler = stepHandler((log, atEnd) => {
  const fleetLedger = createFleetLedger({ table: requireVariable(process.env, environment.ledgerTable) });
  const renewalInfos = createRenewalInfos({ userAgent, ...readTrustedRoots(), now: clock.now });
  atEnd(renewalInfos.close);
  return {
    takeFleetLease: (input: FleetRun) => takeFleetLease(input, { fleetLedger, executions: createExecutions(), clock }),
    refreshRenewalInformation: (input: RefreshRenewalInformationInput) =>
      refreshRenewalInformation(input, { config: readConfig(), fleetLedger, renewalInfos, clock, log }),
    selectDueCertificates: (input: SelectDueCertificatesInput) =>
      selectDueCertificates(input, {
        config: readConfig(),
        fleetLedger,
        executions: createExecutions(),
        metrics: fleetMetrics,
        clock,
        log,
      }),
    handOverFleetLease: (input: FleetRun) => handOverFleetLease(input, { fleetLedger, clock }),
    releaseFleetLease: (input: FleetRun) => releaseFleetLease(input, { fleetLedger }),
  };
});
