import { createRenewalInfos } from '../adapters/acme/fetch-renewal-info.ts';
import { readTrustedRoots } from '../adapters/acme/trusted-roots.ts';
import { userAgent } from '../adapters/acme/user-agent.ts';
import { createAcmCertificates } from '../adapters/aws/acm/acm-certificates.ts';
import { createFleetLedger } from '../adapters/aws/dynamodb/fleet-ledger.ts';
import { createLedger } from '../adapters/aws/dynamodb/ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { readConfig } from '../adapters/aws/lambda/deployed-config.ts';
import { createFleetMetrics } from '../adapters/aws/lambda/fleet-metrics.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createCertificateSecrets } from '../adapters/aws/secrets-manager/certificate-secrets.ts';
import { createExecutions } from '../adapters/aws/step-functions/executions.ts';
import { createHostLookup } from '../adapters/dns/host-lookup.ts';
import { environment, readTags, requireVariable, tags } from '../domain/contract/environment.ts';
import type {
  CompareWithWhatIsThereInput,
  FleetRun,
  HoldFleetLeaseInput,
  RefreshRenewalInformationInput,
  SelectDueCertificatesInput,
} from '../domain/contract/steps.ts';
import { compareWithWhatIsThere } from './compare-with-what-is-there.ts';
import { freeFleetLease } from './free-fleet-lease.ts';
import { handOverFleetLease } from './hand-over-fleet-lease.ts';
import { holdFleetLease } from './hold-fleet-lease.ts';
import { refreshRenewalInformation } from './refresh-renewal-information.ts';
import { releaseFleetLease } from './release-fleet-lease.ts';
import { reportFailedComparison } from './report-failed-comparison.ts';
import { selectDueCertificates } from './select-due-certificates.ts';
import { takeFleetLease } from './take-fleet-lease.ts';

/**
 * Finds out which certificates of the whole fleet are due. It reads the ledger, asks CAs for renewal information, and compares certificates with the
 * descriptions of their secrets and imports. It never reads the value of a secret.
 */
export const handler = stepHandler((log, atEnd) => {
  const table = requireVariable(process.env, environment.ledgerTable);
  const fleetLedger = createFleetLedger({ table });
  const metrics = createFleetMetrics({ deployment: requireVariable(process.env, environment.metricsDeployment) });
  const renewalInfos = createRenewalInfos({
    userAgent,
    ...readTrustedRoots(),
    network: { lookup: createHostLookup() },
    now: clock.now,
  });
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
        metrics,
        clock,
        log,
      }),
    compareWithWhatIsThere: (input: CompareWithWhatIsThereInput) => {
      const stackTag = requireVariable(process.env, environment.stackTag);
      const prefix = requireVariable(process.env, environment.secretPrefix);
      // Lambda sets AWS_REGION.
      const secretsTag = `${requireVariable(process.env, 'AWS_REGION')}/${prefix}`;
      return compareWithWhatIsThere(input, {
        config: readConfig(),
        fleetLedger,
        ledger: createLedger({ table }),
        secrets: createCertificateSecrets({ prefix, stackTag }),
        acm: createAcmCertificates({ stackTag, secretsTag, tags: readTags(process.env) }),
        secretTags: (certificate) => ({ [tags.stack]: stackTag, [tags.certificate]: certificate }),
        ...{ metrics, clock, log },
      });
    },
    reportFailedComparison: (input: FleetRun) => reportFailedComparison(input, { metrics }),
    handOverFleetLease: (input: FleetRun) => handOverFleetLease(input, { fleetLedger, clock }),
    releaseFleetLease: (input: FleetRun) => releaseFleetLease(input, { fleetLedger }),
    holdFleetLease: (input: HoldFleetLeaseInput) =>
      holdFleetLease(input, {
        config: readConfig(),
        fleetLedger,
        ledger: createLedger({ table }),
        executions: createExecutions(),
        clock,
      }),
    freeFleetLease: (input: FleetRun) => freeFleetLease(input, { fleetLedger }),
  };
});
