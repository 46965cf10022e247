import { carryOut, type RequestOptions, type RequestPorts } from '../account-requests.ts';
import { readReport } from '../deployment.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Ends the pause of a certificate. */
export async function resume(name: string, options: RequestOptions, ports: RequestPorts): Promise<ExitCode> {
  const { deployment, certificates } = await readReport(ports.deployments, options, [name]);
  const paused = certificates[0]?.pausedUntil != null;
  const request = { action: 'resume', certificate: name } as const;
  const result = () =>
    `${paused ? `Renewals of ${name} are no longer paused.` : `${name} was not paused.`} The next fleet run renews it if it is due.`;
  return carryOut(deployment, { request, what: `The request to resume ${name}`, result }, options, ports);
}
