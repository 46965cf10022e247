import type { RevocationReason } from '../../lambdas/domain/contract/revocation-reason.ts';
import type { RevokeCertificateOutput } from '../../lambdas/domain/contract/steps.ts';
import { type ConfirmedOptions, carryOut, confirm, type RequestPorts } from '../account-requests.ts';
import { commandFor, readReport } from '../deployment.ts';
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts';
import { wrapped } from '../layout.ts';
import { minuteOf } from '../sentences.ts';

export interface RevokeOptions extends ConfirmedOptions {
  readonly reason: RevocationReason;
  /** Version of the secret. @default the current one */
  readonly versionId?: string | undefined;
}

/** Revokes the current certificate, or that of another version of the secret, after a question. The workflow starts the renewal that replaces it. */
export async function revoke(name: string, options: RevokeOptions, ports: RequestPorts): Promise<ExitCode> {
  const { deployment, certificates } = await readReport(ports.deployments, options, [name]);
  const { current, lease } = certificates[0] ?? {};
  if (!current)
    throw new CommandError(`Certificate ${name} was never issued, so there is nothing to revoke.`, exitCodes.notFound);
  const { reason, versionId } = options;
  const which = versionId
    ? `version ${versionId}`
    : `serial ${current.serialNumber}, valid until ${minuteOf(current.notAfter)} UTC`;
  const every = reason === 'keyCompromise' ? ' All its certificates with the same key are revoked too.' : '';
  const replaced = reason !== 'cessationOfOperation';
  await confirm(
    `Revoke ${name}, ${which}, for the reason ${reason}? This cannot be undone. ${replaced ? 'Clients may reject it until the replacement is delivered.' : 'Nothing replaces it.'}${every}`,
    options,
    ports,
  );
  if (lease)
    ports.terminal.note(
      wrapped(`An execution works on ${name}, so the revocation waits until it has ended.`, ports.terminal.columns, 0),
    );
  const request = { action: 'revoke', certificate: name, reason, ...(versionId && { versionId }) } as const;
  const named = (revoked: readonly string[]) =>
    revoked.length === 0
      ? 'Revoked nothing, because the certificate has expired.'
      : `Revoked ${revoked.length === 1 ? 'the serial number' : 'the serial numbers'} ${revoked.join(', ')}.`;
  const result = ({ revoked, renew }: RevokeCertificateOutput) =>
    `${named(revoked)} ${renew ? `A renewal replaces it. ${commandFor(`explain ${name}`, options)} shows it.` : replaced ? 'It was no longer in use, so no renewal is started.' : 'Nothing replaces it.'}`;
  return carryOut(deployment, { request, what: `The revocation of ${name}`, result }, options, ports);
}
