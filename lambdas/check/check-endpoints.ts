import type { ServedCertificate } from '../domain/contract/certificate-facts.ts';
import type { CheckEndpointsInput, CheckEndpointsOutput } from '../domain/contract/steps.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import type { TlsEndpoints } from '../domain/ports/tls-endpoints.ts';
import { endpointWait, isSameSerial } from '../domain/rules/certificate/endpoints.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';

export interface CheckEndpointsPorts {
  readonly ledger: Pick<Ledger, 'certificate' | 'recordServed'>;
  readonly tlsEndpoints: TlsEndpoints;
  readonly clock: Clock;
}

/** Each may take 5 s of the function's 60: a hundred endpoints, all of them away, are through in 50. */
const lookedAtOnce = 10;

/**
 * Do the servers show the certificate that is stored? Each endpoint is asked by a handshake as a browser would, and the serial numbers
 * are compared: a server that was not reloaded serves the old certificate until that expires. What was found goes to the ledger.
 *
 * Run twice, it looks twice.
 */
export async function checkEndpoints(
  { certificate, spec, current, tries }: CheckEndpointsInput,
  { ledger, tlsEndpoints, clock }: CheckEndpointsPorts,
): Promise<CheckEndpointsOutput> {
  const known = (await ledger.certificate(certificate)).current;
  if (known && known.versionId !== current.versionId) return { served: null, wait: 0, endpoints: [] };

  const look = async (endpoint: string): Promise<ServedCertificate> => {
    const shown = await tlsEndpoints.shown(endpoint, current.keyType);
    if ('failed' in shown) return { endpoint, status: 'unreachable', serialNumber: null, detail: shown.failed };
    const { serialNumber, notAfter } = shown.found;
    return isSameSerial(serialNumber, current.serialNumber)
      ? { endpoint, status: 'served', serialNumber, detail: '' }
      : { endpoint, status: 'other', serialNumber, detail: `it shows ${serialNumber}, which expires ${notAfter}` };
  };
  const limited = concurrencyLimit(lookedAtOnce);
  const endpoints = await Promise.all((spec.endpoints ?? []).map((endpoint) => limited(() => look(endpoint))));
  const served = endpoints.every(({ status }) => status === 'served');
  const at = clock.now().toISOString();
  await ledger.recordServed(certificate, { versionId: current.versionId, at, served, endpoints });
  return { served, wait: served ? 0 : endpointWait(tries), endpoints };
}
