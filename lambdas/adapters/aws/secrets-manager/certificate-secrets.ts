import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { CertificateSecretValue } from '../../../domain/contract/certificate-secret.ts';
import { CertificateSecretError, parseCertificateSecret } from '../../../domain/contract/certificate-secret.ts';
import { tags } from '../../../domain/contract/environment.ts';
import { CompromisedKeyError, UnexpectedError, UnreadableSecretError } from '../../../domain/contract/errors.ts';
import type { CertificateSecrets } from '../../../domain/ports/certificate-secrets.ts';
import { translated } from '../translate-errors.ts';
import { shareSecret } from './secret-access.ts';
import { describeSecret, membersOf, secretReplyOf, warmSecretsClient } from './secrets.ts';

// A ClientRequestToken becomes the version's id: 32 to 64 characters, so a sha256 in hex fits exactly.
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const placeholderVersion = sha256('perennial placeholder');
const keyVersion = (orderUrl: string): string => sha256(orderUrl);
/** For the key that takes the place of a reused one: CAs hand out an order that is ready again, so the order may have to be kept. */
const freshKeyVersion = (orderUrl: string): string => sha256(`${orderUrl}#fresh key`);
const certificateVersion = (orderUrl: string): string => sha256(`${orderUrl}#certificate`);

/** On a version whose key is known to others: it is used for no other certificate. */
export const compromisedLabel = 'COMPROMISED';

/** AWS refuses larger values: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const maximumBytes = 65_536;

/**
 * Versions of one secret: the placeholder, and for each order its key and its certificate, both by the label CANDIDATE until
 * AWSCURRENT moves to the certificate. Version ids come from the order's URL, so who writes first wins, and again is no change.
 */
export function createCertificateSecrets({
  prefix,
  stackTag,
  kmsKeyId,
  client = warmSecretsClient(),
}: {
  readonly prefix: string;
  readonly stackTag: string;
  /** ARN of the key that a new secret is encrypted with. @default the account's `aws/secretsmanager` */
  readonly kmsKeyId?: string | undefined;
  readonly client?: SecretsManagerClient;
}): CertificateSecrets {
  const nameOf = (certificate: string): string => `${prefix}${certificate}`;

  /** `false`: the version exists with another value, and stays as it is. */
  async function putCandidate(secret: string, version: string, value: object): Promise<boolean> {
    const SecretString = JSON.stringify(value);
    const bytes = Buffer.byteLength(SecretString);
    if (bytes > maximumBytes) {
      throw new UnexpectedError({
        what: `The value for secret ${secret} has ${bytes} bytes, and Secrets Manager takes ${maximumBytes}: nothing was stored.`,
        remedy: 'Use fewer identifiers, or an issuer with a shorter chain.',
        secret,
      });
    }
    const command = new PutSecretValueCommand({
      SecretId: secret,
      ClientRequestToken: version,
      SecretString,
      VersionStages: ['CANDIDATE'],
    });
    const reply = await secretReplyOf(client, { action: 'PutSecretValue', secret }, client.send(command), {
      ResourceExistsException: () => null,
    });
    return reply !== null;
  }

  async function readKey(secret: string, orderUrl: string, version: string): Promise<string | null> {
    const command = new GetSecretValueCommand({ SecretId: secret, VersionId: version });
    const reply = await secretReplyOf(client, { action: 'GetSecretValue', secret }, client.send(command), {
      ResourceNotFoundException: () => null,
    });
    if (reply === null) return null;
    const staged = membersOf(reply.SecretString);
    if (staged.format === 1 && staged.orderUrl === orderUrl && typeof staged.privateKey === 'string') {
      return staged.privateKey;
    }
    throw new UnreadableSecretError({
      what: `Version ${version} of secret ${secret} is not the key staged for order ${orderUrl}: another program wrote it.`,
      remedy: 'Start the renewal with force, for a new order with a new key.',
      secret,
      order: orderUrl,
    });
  }

  /** The key that was reused, and is marked since; `null`: none is. */
  async function compromisedKey(secret: string): Promise<string | null> {
    const stages = (await describeSecret(client, secret))?.VersionIdsToStages;
    const version = labelledVersion(stages, compromisedLabel);
    if (version === null) return null;
    const command = new GetSecretValueCommand({ SecretId: secret, VersionId: version });
    const reply = await secretReplyOf(client, { action: 'GetSecretValue', secret }, client.send(command));
    return certificateValueOf(reply.SecretString)?.privateKey ?? null;
  }

  const stagedKey = async (certificate: string, orderUrl: string): Promise<string | null> => {
    const secret = nameOf(certificate);
    const [staged, compromised] = await Promise.all([
      readKey(secret, orderUrl, keyVersion(orderUrl)),
      compromisedKey(secret),
    ]);
    // A key is reused to the byte.
    if (staged === null || staged !== compromised) return staged;
    const fresh = await readKey(secret, orderUrl, freshKeyVersion(orderUrl));
    if (fresh !== null) return fresh;
    throw new CompromisedKeyError({
      what: `The key that was reused for order ${orderUrl} is known to be compromised: nothing is stored with it.`,
      remedy: 'The certificate is ordered again, with a new key.',
      certificate,
      order: orderUrl,
    });
  };

  return {
    async describe(certificate) {
      const reply = await describeSecret(client, nameOf(certificate));
      if (reply === null) return null;
      const current = currentVersionOf(reply.VersionIdsToStages);
      return {
        arn: reply.ARN ?? '',
        ours: reply.Tags?.some(({ Key, Value }) => Key === tags.stack && Value === stackTag) ?? false,
        deletedAt: reply.DeletedDate?.toISOString() ?? null,
        currentVersion: current === placeholderVersion ? null : current,
      };
    },

    async create(certificate) {
      const secret = nameOf(certificate);
      const command = new CreateSecretCommand({
        Name: secret,
        Description: `TLS certificate ${certificate}: key and chain, renewed by ${stackTag}`,
        ClientRequestToken: placeholderVersion,
        SecretString: JSON.stringify({ format: 0, status: 'No certificate has been issued yet.' }),
        KmsKeyId: kmsKeyId,
        Tags: [
          { Key: tags.stack, Value: stackTag },
          { Key: tags.certificate, Value: certificate },
        ],
      });
      await secretReplyOf(client, { action: 'CreateSecret', secret }, client.send(command), {
        ResourceExistsException: () => null,
      });
    },

    stagedKey,

    async stageKey(certificate, orderUrl, privateKey) {
      const secret = nameOf(certificate);
      const value = { format: 1, orderUrl, privateKey };
      if (await putCandidate(secret, keyVersion(orderUrl), value)) return privateKey;
      const staged = await stagedKey(certificate, orderUrl).catch(async (error: unknown) => {
        if (!(error instanceof CompromisedKeyError)) throw error;
        // `false`: another run was faster, and its key counts.
        const first = await putCandidate(secret, freshKeyVersion(orderUrl), value);
        return first ? privateKey : stagedKey(certificate, orderUrl);
      });
      if (staged !== null) return staged;
      throw new UnexpectedError({
        what: `Secret ${secret} has version ${keyVersion(orderUrl)} and cannot show it yet.`,
        remedy: 'Nothing was finalized. The next run reads it again.',
        secret,
      });
    },

    async putCertificate(certificate, orderUrl, value) {
      const version = certificateVersion(orderUrl);
      await putCandidate(nameOf(certificate), version, value);
      return version;
    },

    async makeCurrent(certificate, versionId) {
      const secret = nameOf(certificate);
      const before = await describeSecret(client, secret);
      const current = currentVersionOf(before?.VersionIdsToStages);
      if (current === versionId) return { arn: before?.ARN ?? '', first: false };
      const command = new UpdateSecretVersionStageCommand({
        SecretId: secret,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: versionId,
        ...(current === null ? {} : { RemoveFromVersionId: current }),
      });
      const call = { action: 'UpdateSecretVersionStage', secret };
      const reply = await secretReplyOf(client, call, client.send(command), {
        // The label was moved meanwhile, away from the version that it was on: fine if another run of ours did the same.
        async InvalidParameterException(error) {
          const now = await describeSecret(client, secret);
          if (now && currentVersionOf(now.VersionIdsToStages) === versionId) return { ARN: now.ARN };
          throw translated(error, { action: 'secretsmanager:UpdateSecretVersionStage', resource: `secret ${secret}` });
        },
      });
      return { arn: reply.ARN ?? before?.ARN ?? '', first: current === null || current === placeholderVersion };
    },

    share: (certificate, access) => shareSecret({ client, secret: nameOf(certificate), stackTag }, access),

    async readCurrent(certificate) {
      const secret = nameOf(certificate);
      const command = new GetSecretValueCommand({ SecretId: secret, VersionStage: 'AWSCURRENT' });
      const reply = await secretReplyOf(client, { action: 'GetSecretValue', secret }, client.send(command), {
        ResourceNotFoundException: () => null,
      });
      const value = certificateValueOf(reply?.SecretString);
      if (reply && value) {
        const compromised = reply.VersionStages?.includes(compromisedLabel) ?? false;
        return { arn: reply.ARN ?? '', versionId: reply.VersionId ?? '', value, compromised };
      }
      const found = !reply
        ? 'does not exist'
        : reply.VersionId === placeholderVersion
          ? 'is still empty'
          : 'is of another format';
      throw new UnreadableSecretError({
        what: `The current version of secret ${secret} ${found}, so no certificate can be read from it.`,
        remedy: 'Start the renewal with force: it issues and stores a new certificate.',
        certificate,
        secret,
      });
    },
  };
}

type Stages = Readonly<Record<string, readonly string[]>> | undefined;

const currentVersionOf = (stages: Stages): string | null => labelledVersion(stages, 'AWSCURRENT');

function labelledVersion(stages: Stages, label: string): string | null {
  return Object.entries(stages ?? {}).find(([, labels]) => labels.includes(label))?.[0] ?? null;
}

/** `null`: not of our format. */
export function certificateValueOf(secretString: string | undefined): CertificateSecretValue | null {
  try {
    return parseCertificateSecret(secretString ?? '');
  } catch (error) {
    if (error instanceof CertificateSecretError) return null;
    throw error;
  }
}
