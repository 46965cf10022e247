import type { ServedCertificate } from '../domain/contract/certificate-facts.ts';
import type { DeployedConfig } from '../domain/contract/config.ts';
import type { CheckEndpointsInput, CheckEndpointsOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import type { TlsEndpoints } from '../domain/ports/tls-endpoints.ts';
import {
  endpointWait,
  isNotServedForLong,
  isNotServedReportDue,
  isSameSerial,
} from '../domain/rules/certificate/endpoints.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';

export interface CheckEndpointsPorts {
  readonly config: Pick<DeployedConfig, 'checkInterval'>;
  readonly ledger: Pick<Ledger, 'certificate' | 'recordServed'>;
  readonly tlsEndpoints: TlsEndpoints;
  readonly clock: Clock;
}

/** Endpoints that are checked at the same time. One check takes at most 5 s, so 20 endpoints (the limit) take at most 10 of the function's 60 s. */
const parallelChecks = 10;

/**
 * Checks whether the endpoints present the stored certificate, and saves the result in the ledger. Each endpoint is asked in a TLS handshake, and
 * the serial numbers are compared. A server that was not reloaded presents the old certificate until that expires. If another version is current,
 * nothing is checked.
 *
 * A second run checks again and overwrites the result, so it is safe to run twice.
 */
export async function checkEndpoints(
  { certificate, execution, spec, current, tries }: CheckEndpointsInput,
  { config, ledger, tlsEndpoints, clock }: CheckEndpointsPorts,
): Promise<CheckEndpointsOutput> {
  const record = await ledger.certificate(certificate);
  const known = record.current;
  if (known && known.versionId !== current.versionId) return { served: null, wait: 0, endpoints: [], reportDue: false };

  const checkEndpoint = async (endpoint: string): Promise<ServedCertificate> => {
    const shown = await tlsEndpoints.shown(endpoint, current.keyType);
    if ('failed' in shown) return { endpoint, status: 'unreachable', serialNumber: null, detail: shown.failed };
    const { serialNumber, notAfter } = shown.found;
    if (isSameSerial(serialNumber, current.serialNumber))
      return { endpoint, status: 'served', serialNumber, detail: '' };
    const detail = `it presents ${serialNumber}, which expires on ${notAfter}`;
    return { endpoint, status: 'other', serialNumber, detail };
  };
  const limited = concurrencyLimit(parallelChecks);
  const endpoints = await Promise.all((spec.endpoints ?? []).map((endpoint) => limited(() => checkEndpoint(endpoint))));
  const served = endpoints.every(({ status }) => status === 'served');
  const wait = served ? 0 : endpointWait(tries);
  const now = clock.now();
  // What is already known as not served stays so during the checks of the next day. Otherwise its alarm would go off again each day.
  const again = wait > 0 && !isNotServedForLong(spec, record, now) && { again: true };
  const reportDue = !served && wait === 0 && isNotServedReportDue(record, execution, config.checkInterval, now);
  const before = record.served?.versionId === current.versionId ? record.served.reported : undefined;
  const reported = reportDue ? { execution, at: now.toISOString() } : served ? undefined : before;
  await ledger.recordServed(certificate, {
    versionId: current.versionId,
    at: now.toISOString(),
    served,
    ...again,
    endpoints,
    ...(reported && { reported }),
  });
  return { served, wait, endpoints, reportDue };
}
