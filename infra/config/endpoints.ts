import { isIP } from 'node:net';
import { z } from 'zod';
import { identifierProblem, normalizeIdentifier } from '../../lambdas/domain/rules/proof/names.ts';
import { type Report, readList, show } from './fields.ts';

const allowed = 'a server such as "www.example.com" or "www.example.com:8443"';
const endpointText = z.string({ error: allowed });

/** As `host:port`; 443 where none is told. */
export function checkEndpoints(
  values: readonly unknown[],
  path: string,
  { names, report, warn }: { readonly names: readonly string[]; readonly report: Report; readonly warn: Report },
): readonly string[] {
  const endpoints = new Set<string>();
  for (const [index, value] of readList(endpointText, values, path, report).entries()) {
    if (value === undefined) continue;
    const at = `${path}[${index}]`;
    const [, written = value, port = '443'] = /^(.*?)(?::(\d{1,5}))?$/.exec(value) ?? [];
    const host = normalizeIdentifier(written);
    const problem = host.startsWith('*.') ? 'is a wildcard' : identifierProblem(host);
    if (isAddress(value) || isAddress(host)) {
      const name = 'the name of the server, since it is asked by its name (SNI)';
      report(at, `found ${show(value)}, which is an IP address, allowed: ${name}`);
    } else if (problem) report(at, `found ${show(value)}, which ${problem}, allowed: ${allowed}`);
    else if (Number(port) < 1 || Number(port) > 65_535) report(at, `found the port ${port}, allowed: 1 to 65535`);
    else if (endpoints.has(`${host}:${port}`)) warn(at, `${show(value)} repeats an earlier endpoint`);
    else if (!covers(names, host))
      warn(at, `${show(value)} is no name of this certificate, so clients will refuse it there`);
    endpoints.add(`${host}:${port}`);
  }
  return [...endpoints].sort();
}

/** RFC 6066 §3: a client may not name an address. */
const isAddress = (host: string): boolean => isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0;

/** RFC 9525 §6.3: a wildcard stands for one label. */
const covers = (names: readonly string[], host: string): boolean =>
  names.includes(host) || names.includes(`*${host.slice(host.indexOf('.'))}`);
