import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { ACMClient, GetCertificateCommand } from '@aws-sdk/client-acm';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CertificateSecretValue } from '../../lambdas/domain/contract/certificate-secret.ts';
import type { ImportCertificateOutput, SelectDueCertificatesOutput } from '../../lambdas/domain/contract/steps.ts';
import { txtValues } from '../deploy.ts';
import type { LocalEnvironment } from '../environment.ts';
import { type EndedExecution, startExecution, waitForExecution } from '../executions.ts';
import { executionsOf, type Renewal, type VisitedState, type Workflows } from './renewals.ts';

/** An issued certificate. It is read from Secrets Manager and ACM, as a consumer reads it, and not from the output of the workflow. */
export interface IssuedCertificate {
  readonly name: string;
  readonly identifiers: readonly string[];
  readonly keyType: string;
  readonly issuer: string;
  readonly serialNumber: string;
  /** RFC 3339 */
  readonly notBefore: string;
  readonly notAfter: string;
  /** PEM: leaf and chain. */
  readonly fullChain: string;
  readonly secretName: string;
  readonly secretArn: string;
  readonly acm: readonly { readonly region: string; readonly arn: string }[];
  /** RFC 3339, as the ledger has it. */
  readonly renewalDue: string | null;
  readonly execution: string;
  /** From the start of the execution to its end. */
  readonly seconds: number;
  readonly transitions: number;
  readonly states: readonly VisitedState[];
}

interface Stored {
  readonly secretArn: string;
  readonly value: CertificateSecretValue;
}

async function readSecret(local: LocalEnvironment, secretName: string): Promise<Stored> {
  const client = new SecretsManagerClient(local.clientConfig);
  const { ARN = '', SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretName }));
  return { secretArn: ARN, value: JSON.parse(SecretString) };
}

/** @throws Error when ACM does not hold the certificate that the secret does */
export async function readIssued(
  local: LocalEnvironment,
  { secretName, renewalDue }: { readonly secretName: string; readonly renewalDue: string | null },
  renewal: Renewal,
): Promise<IssuedCertificate> {
  const { secretArn, value } = await readSecret(local, secretName);
  const acm = outputsOf<ImportCertificateOutput>(renewal, 'Import certificate');
  for (const { region, arn } of acm) {
    const client = new ACMClient({ ...local.clientConfig, region });
    const { Certificate = '' } = await client.send(new GetCertificateCommand({ CertificateArn: arn }));
    if (new X509Certificate(Certificate).fingerprint256 !== new X509Certificate(value.certificate).fingerprint256)
      throw new Error(`${arn} is not the certificate in ${secretArn}`);
  }
  const { identifiers, keyType, issuer, serialNumber, notBefore, notAfter, fullChain } = value;
  const { arn: execution, seconds, transitions, states, certificate: name } = renewal;
  return {
    ...{ name, identifiers, keyType, issuer, serialNumber, notBefore, notAfter, fullChain, secretName, secretArn },
    acm: acm.map(({ region, arn }) => ({ region, arn })),
    renewalDue,
    ...{ execution, seconds, transitions, states },
  };
}

export interface Handshake {
  /** The name that the client asked for. */
  readonly serverName: string;
  readonly protocol: string;
  /** Serial number of the certificate that was served. */
  readonly serialNumber: string;
}

/**
 * Serves TLS with what is in the secret and connects once for each name, as a client that trusts only the CA's root: it checks
 * the chain, the dates and the name.
 *
 * @throws Error when the client refuses, or another certificate is served
 */
export async function proveByTls(local: LocalEnvironment, { secretArn }: IssuedCertificate): Promise<Handshake[]> {
  const { value } = await readSecret(local, secretArn);
  const root = await local.pebble.issuingRoots();
  const server = createServer({ cert: value.fullChain, key: value.privateKey }, (socket) => socket.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const handshakes: Handshake[] = [];
    for (const identifier of value.identifiers) {
      const serverName = identifier.replace(/^\*/, 'any-name');
      const socket = connect({ host: '127.0.0.1', port, servername: serverName, ca: root });
      try {
        await once(socket, 'secureConnect');
      } catch (error) {
        throw new Error(`A TLS client refuses ${serverName} with the certificate in ${secretArn}: ${error}`);
      }
      const { serialNumber, fingerprint256 } = socket.getPeerCertificate();
      if (fingerprint256 !== new X509Certificate(value.certificate).fingerprint256)
        throw new Error(`The server of ${secretArn} serves another certificate, serial ${serialNumber}`);
      handshakes.push({ serverName, protocol: socket.getProtocol() ?? '', serialNumber: serialNumber.toLowerCase() });
      socket.destroy();
    }
    return handshakes;
  } finally {
    server.close();
  }
}

export interface EmptyZone {
  readonly id: string;
  readonly name: string;
  readonly txtValues: 0;
}

/** Returns all hosted zones. @throws Error if one has a TXT value, because only the service writes them here */
export async function proveZonesAreEmpty(local: LocalEnvironment): Promise<EmptyZone[]> {
  const zones = (await local.aws.hostedZones()).map(({ id, name }) => ({ id, name: name.replace(/\.$/, '') }));
  for (const { name: zone } of zones) {
    const left = Object.entries(await txtValues(local, zone)).map(([name, values]) => `${name} = ${values.join(', ')}`);
    if (left.length > 0) throw new Error(`TXT values are left in ${zone}: ${left.join('; ')}`);
  }
  return zones.map((zone) => ({ ...zone, txtValues: 0 }));
}

export interface FleetRun {
  readonly execution: string;
  readonly seconds: number;
  /** Number of certificates that it checked. */
  readonly checked: number;
  /** Number of renewals that it found due. */
  readonly due: number;
}

export async function nextFleetRun(local: LocalEnvironment, { fleet }: Workflows): Promise<FleetRun> {
  return fleetRun(await waitForExecution(local, await startExecution(local, fleet, {})));
}

/** The run that the deployment started, or a new one if it started none. */
export async function firstFleetRun(local: LocalEnvironment, { fleet }: Workflows): Promise<FleetRun> {
  const started = (await executionsOf(local, fleet)).at(-1) ?? (await startExecution(local, fleet, {}));
  return fleetRun(await waitForExecution(local, started));
}

function fleetRun(ended: EndedExecution): FleetRun {
  const { arn: execution, status, error, cause, seconds } = ended;
  if (status !== 'SUCCEEDED') throw new Error(`The fleet run ended ${status}: ${error}\n  ${cause}\n  ${execution}`);
  const selections = outputsOf<SelectDueCertificatesOutput>(ended, 'Select due certificates');
  return {
    execution,
    seconds,
    checked: selections[0]?.checked ?? 0,
    due: selections.reduce((sum, { due }) => sum + due.length, 0),
  };
}

/** Returns the output of each visit of a state. */
function outputsOf<T>({ history }: EndedExecution, state: string): T[] {
  return history.flatMap(({ type, stateExitedEventDetails: exited }) =>
    type === 'TaskStateExited' && exited?.name === state ? [JSON.parse(exited.output ?? 'null') as T] : [],
  );
}
