import { isIP } from 'node:net';
import { z } from 'zod';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/domain/rules/proof/names.ts';
import { readList, show } from './fields.ts';
import { urlProblem } from './identifiers.ts';
import type { Report, Warn } from './mistakes.ts';

const allowed = 'expected a server such as "www.example.com" or "www.example.com:8443"';
const endpointText = z.string({ error: allowed.replace('expected ', '') });

interface EndpointContext {
  /** The names of the certificate. */
  readonly names: readonly string[];
  readonly report: Report;
  readonly warn: Warn;
}

/** Returns the endpoints as `host:port`, each once. The default port is 443. */
export function checkEndpoints(
  values: readonly unknown[],
  path: string,
  { names, report, warn }: EndpointContext,
): readonly string[] {
  const endpoints = new Set<string>();
  for (const [index, value] of readList(endpointText, values, path, report).entries()) {
    if (value === undefined) continue;
    const at = `${path}[${index}]`;
    const [, written = value, port = '443'] = /^(.*?)(?::(\d{1,5}))?$/.exec(value) ?? [];
    const host = normalizeIdentifier(written);
    const problem = urlProblem(value) ?? (host.startsWith('*.') ? 'is a wildcard' : identifierProblem(host));
    if (isAddress(value) || isAddress(host))
      report(
        at,
        `${show(value)} is an IP address`,
        'expected the name of the server, because the check sends it as SNI',
      );
    else if (problem) report(at, `${show(value)} ${problem}`, allowed);
    else if (Number(port) < 1 || Number(port) > 65_535) report(at, `found the port ${port}`, 'expected 1 to 65535');
    else if (endpoints.has(`${host}:${port}`))
      warn('repeatedEndpoint', at, `${show(value)} repeats an earlier endpoint`);
    else if (!covers(names, host))
      warn(
        'endpointOfOtherName',
        at,
        `${show(value)} is not a name of this certificate, so clients will reject the certificate there`,
      );
    endpoints.add(`${host}:${port}`);
  }
  return [...endpoints].sort();
}

/** Returns whether the host is an IP address, which a client may not send as SNI. RFC 6066 §3 */
const isAddress = (host: string): boolean => isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;

/** Returns whether a name of the certificate covers the host. A wildcard covers one label. RFC 9525 §6.3 */
export const covers = (names: readonly string[], host: string): boolean =>
  names.includes(host) || names.includes(`*${host.slice(host.indexOf('.'))}`);
