import type { CertificateSpec, CheckRenewalInput, CheckRenewalOutput, DeployedConfig } from '../rules/contract.ts';
import { SecretDeletedError, SecretNotOursError, UnknownCertificateError } from '../rules/errors.ts';
import type { CertificateSecrets } from '../rules/ports.ts';
import { decideRenewal } from '../rules/renewal-decision.ts';
import { parseRequest } from '../rules/request.ts';
import { specOf } from '../rules/spec.ts';
import { acquireLease, type LeasePorts } from './leases.ts';

export interface CheckRenewalPorts extends LeasePorts {
  readonly config: DeployedConfig;
  readonly secrets: Pick<CertificateSecrets, 'describe'>;
}

/** A twin that issues the same names is waited for 60 s at a time, an hour at most: 60 times. */
const twinWait = 60;
const twinWaits = 60;

/**
 * Is there anything to do for this certificate, and may this execution do it? Takes the certificate's lease first and looks then, so
 * that what another execution has just done is seen; gives it back when there is nothing to do. Issuing takes the lease of the
 * identifier set as well.
 *
 * Run twice, it finds its own leases and comes to the same answer.
 */
export async function checkRenewal(
  { execution, request, cleaned, removed, waits }: CheckRenewalInput,
  ports: CheckRenewalPorts,
): Promise<CheckRenewalOutput> {
  const { certificate, force } = parseRequest(request);
  const spec = specOf(ports.config, certificate) ?? unknown(certificate, ports.config);
  const run = { certificate, execution };
  const answer = { certificate, spec, wait: 0, current: null, leftovers: [] };

  const holder = await acquireLease({ certificate }, run, ports);
  if (holder) return { ...answer, action: 'none', reason: `in progress by ${holder}` };
  try {
    if (removed.length > 0) await ports.ledger.strikeLeftovers(certificate, removed);
    const { decision, record } = await look(spec, { execution, force, cleaned }, ports);
    if (decision.action === 'none') {
      // What a dead run left of an order is of no use any more: the certificate is stored, delivered and not due.
      if (record.order) await ports.ledger.recordSuccess(certificate, execution);
      await ports.ledger.release(certificate, execution);
    }
    if (decision.action === 'issue') {
      const twin = await acquireLease({ set: spec.setHash }, run, ports);
      if (twin) {
        await ports.ledger.release(certificate, execution);
        const reason = `the same names are being issued by ${twin}`;
        return waits < twinWaits
          ? { ...answer, action: 'wait', wait: twinWait, reason }
          : { ...answer, action: 'none', reason: `${reason}, for an hour now; the next fleet run looks again` };
      }
    }
    return {
      ...answer,
      ...decision,
      current: decision.action === 'deliver' ? record.current : null,
      leftovers: decision.action === 'clean' ? record.leftovers : [],
    };
  } catch (error) {
    await ports.ledger.release(certificate, execution);
    throw error;
  }
}

async function look(
  spec: CertificateSpec,
  { execution, force, cleaned }: { readonly execution: string; readonly force: boolean; readonly cleaned: boolean },
  { ledger, secrets, clock }: CheckRenewalPorts,
) {
  const [record, secret] = await Promise.all([ledger.certificate(spec.name), secrets.describe(spec.name)]);
  if (secret && !secret.ours) {
    throw new SecretNotOursError(
      `The secret ${secret.arn} exists and was not made by this stack: rename it, delete it, or give the certificate another name. Nothing was ordered.`,
    );
  }
  if (secret?.deletedAt) {
    throw new SecretDeletedError(
      `The secret of certificate ${spec.name} is scheduled for deletion on ${secret.deletedAt}: run "aws secretsmanager restore-secret --secret-id ${secret.arn}", or take the certificate out of the configuration. Nothing was ordered.`,
    );
  }
  // A forced run that has issued, or holds an order, has had its wish: a restart of it must not issue again.
  const spent = record.current?.execution === execution || record.order?.execution === execution;
  const decision = decideRenewal(
    { spec, record, storedVersion: secret?.currentVersion ?? null, force: force && !spent, cleaned },
    clock.now(),
  );
  return { decision, record };
}

function unknown(certificate: string, { certificates }: DeployedConfig): never {
  const names = certificates.slice(0, 10).map(({ name }) => name);
  throw new UnknownCertificateError(
    `No certificate is named ${certificate} in the deployed configuration, which has ${names.join(', ')}${certificates.length > 10 ? ', …' : ''}. Check the name, or deploy the configuration that has it.`,
  );
}
