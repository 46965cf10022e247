import type { DeployedConfig } from '../domain/contract/config.ts';
import type { CertificateReport, Deployment, ReportInput, ReportOutput } from '../domain/contract/report.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { certificateReport } from '../domain/rules/renewal/certificate-report.ts';
import { emptyRecord } from '../domain/rules/renewal/ledger-record.ts';
import { closestWord } from '../domain/rules/suggestion.ts';

/** Size of a page in bytes, above which no further batch is read. A batch of 100 certificates with 100 names of 253 characters each has 2.5 MB. */
const pageSize = 2_000_000;

/** Certificates that one BatchGetItem reads. */
const batchSize = 100;

/** What the deployment of the function knows. The other fields of `Deployment` are in the configuration. */
export type DeployedParts = Omit<Deployment, 'checkInterval' | 'issuers' | 'hostedZones'>;

export interface ReportPorts {
  readonly config: DeployedConfig;
  readonly parts: DeployedParts;
  readonly ledger: Pick<Ledger, 'certificates'>;
  readonly fleetLedger: Pick<FleetLedger, 'lastSelection'>;
  readonly clock: Clock;
}

/**
 * Returns one page of what operators have to know about certificates, in the order of the configuration. It reads the ledger and writes nothing,
 * so it is safe to run twice.
 */
export async function reportCertificates(
  { names, from }: ReportInput,
  { config, parts, ledger, fleetLedger, clock }: ReportPorts,
): Promise<ReportOutput> {
  const configured = config.certificates.map(({ name }) => name);
  const known = new Set(configured);
  const requested = names === null ? configured : names.filter((name) => known.has(name));
  const certificates: CertificateReport[] = [];
  let next = from;
  for (let bytes = 0; next < requested.length && bytes < pageSize; next += batchSize) {
    const batch = requested.slice(next, next + batchSize);
    const records = await ledger.certificates(batch);
    const reports = batch.flatMap((name) => {
      const spec = specOf(config, name);
      const record = records.get(name) ?? emptyRecord;
      return spec ? [certificateReport(spec, record, config.checkInterval, clock.now())] : [];
    });
    certificates.push(...reports);
    bytes += Buffer.byteLength(JSON.stringify(reports));
  }
  const unknown = (names ?? []).filter((name) => !known.has(name));
  return {
    deployment: {
      ...parts,
      checkInterval: config.checkInterval,
      issuers: config.issuers.map(({ name, directoryUrl, staging, challenges, newOrders }) => ({
        ...{ name, directoryUrl, staging, challenges, newOrders },
      })),
      hostedZones: config.hostedZones,
    },
    at: clock.now().toISOString(),
    lastSelection: (await fleetLedger.lastSelection())?.toISOString() ?? null,
    certificates,
    unknown: unknown.map((name) => ({ name, similar: closestWord(name, configured) ?? null })),
    next: next < requested.length ? next : null,
  };
}
