import { X509Certificate } from 'node:crypto';
import {
  ACMClient,
  type CertificateSummary,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  type KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import type { KeyType } from '../rules/contract.ts';
import { tags } from '../rules/environment.ts';
import { ImportLimitError, ImportRefusedError, ThrottledError, UnexpectedError } from '../rules/errors.ts';
import type { AcmCertificates } from '../rules/ports.ts';
import { clientSettings } from './client.ts';
import { replyOf } from './errors.ts';

const clients = new Map<string, ACMClient>();

function warmClientFor(region: string): ACMClient {
  const client = clients.get(region) ?? new ACMClient({ ...clientSettings, region });
  clients.set(region, client);
  return client;
}

/** As ACM names them. It lists RSA_1024 and RSA_2048 only, unless it is asked for others. */
const keyAlgorithms: Readonly<Record<KeyType, KeyAlgorithm>> = {
  'P-256': 'EC_prime256v1',
  'P-384': 'EC_secp384r1',
  'RSA-2048': 'RSA_2048',
  'RSA-3072': 'RSA_3072',
  'RSA-4096': 'RSA_4096',
};

/** 20,000 certificates in pages of 1,000: eight times ACM's default quota of imports. */
const maximumPages = 20;

/** Imports into ACM, in any region. */
export function createAcmCertificates({
  stackTag,
  clientFor = warmClientFor,
}: {
  readonly stackTag: string;
  readonly clientFor?: (region: string) => ACMClient;
}): AcmCertificates {
  /** Imports of this key type that share a name with the certificate, the one imported last first. */
  async function candidates(
    region: string,
    identifiers: readonly string[],
    keyType: KeyType,
  ): Promise<readonly CertificateSummary[]> {
    const wanted = new Set(identifiers);
    const found: CertificateSummary[] = [];
    let token: string | undefined;
    for (let page = 0; page < maximumPages; page++) {
      const command = new ListCertificatesCommand({
        Includes: { keyTypes: [keyAlgorithms[keyType]] },
        MaxItems: 1000,
        NextToken: token,
      });
      const reply = await replyOf(
        { action: 'acm:ListCertificates', resource: `region ${region}` },
        clientFor(region).send(command),
      );
      for (const summary of reply.CertificateSummaryList ?? []) {
        const names = [summary.DomainName, ...(summary.SubjectAlternativeNameSummaries ?? [])];
        const shared = names.some((name) => name !== undefined && wanted.has(name.toLowerCase()));
        if (summary.Type === 'IMPORTED' && shared) found.push(summary);
      }
      token = reply.NextToken;
      if (!token) return found.toSorted((a, b) => importTime(b) - importTime(a));
    }
    throw new UnexpectedError(
      `ACM in ${region} lists more than ${maximumPages * 1000} certificates: it was not searched further for an earlier import.`,
    );
  }

  async function isOurs(region: string, arn: string, certificate: string): Promise<boolean> {
    const reply = await replyOf(
      { action: 'acm:ListTagsForCertificate', resource: `certificate ${arn}` },
      clientFor(region).send(new ListTagsForCertificateCommand({ CertificateArn: arn })),
      // Deleted since it was listed.
      { ResourceNotFoundException: () => ({ Tags: [] }) },
    );
    const has = (key: string, value: string) => reply.Tags?.some((tag) => tag.Key === key && tag.Value === value);
    return Boolean(has(tags.stack, stackTag) && has(tags.certificate, certificate));
  }

  /** Why ACM refused to import over an ARN: `null` when neither the ARN nor the key is the reason. */
  async function obstacle(region: string, arn: string, leaf: string): Promise<'notFound' | 'keyChanged' | null> {
    const reply = await replyOf(
      { action: 'acm:DescribeCertificate', resource: `certificate ${arn}` },
      clientFor(region).send(new DescribeCertificateCommand({ CertificateArn: arn })),
      { ResourceNotFoundException: () => null, InvalidArnException: () => null },
    );
    if (reply === null) return 'notFound';
    // Written with a hyphen (RSA-2048) by this call and with an underscore by others.
    const imported = reply.Certificate?.KeyAlgorithm?.replace('-', '_');
    const wanted = keyAlgorithm(leaf);
    return imported && wanted && imported !== wanted ? 'keyChanged' : null;
  }

  return {
    async find(region, certificate, identifiers, keyType) {
      for (const { CertificateArn: arn } of await candidates(region, identifiers, keyType)) {
        if (arn && (await isOurs(region, arn, certificate))) return arn;
      }
      return null;
    },

    async import(region, certificate, pem, arn) {
      const resource = arn ? `certificate ${arn}` : `certificate ${certificate} in ${region}`;
      const command = new ImportCertificateCommand({
        Certificate: Buffer.from(pem.certificate),
        PrivateKey: Buffer.from(pem.privateKey),
        ...(pem.chain ? { CertificateChain: Buffer.from(pem.chain) } : {}),
        ...(arn
          ? { CertificateArn: arn }
          : {
              Tags: [
                { Key: tags.stack, Value: stackTag },
                { Key: tags.certificate, Value: certificate },
              ],
            }),
      });
      const refused = async (error: Error) => {
        const reason = arn ? await obstacle(region, arn, pem.certificate) : null;
        if (reason) return reason;
        throw new ImportRefusedError(
          `ACM in ${region} refuses certificate ${certificate}: ${error.name}: ${error.message} ` +
            'The certificate itself is safe in its secret. Mend the cause and start the renewal again: it imports without a new order.',
        );
      };
      const answer = await replyOf({ action: 'acm:ImportCertificate', resource }, clientFor(region).send(command), {
        ResourceNotFoundException: () => 'notFound' as const,
        InvalidArnException: () => 'notFound' as const,
        // ACM has no error of its own for a changed key, so the key that is there is asked for.
        InvalidParameterException: refused,
        ValidationException: refused,
        InvalidTagException: refused,
        TagPolicyException: refused,
        TooManyTagsException: refused,
        LimitExceededException(error) {
          throw new ImportLimitError(
            `ACM in ${region} takes no more imports, so ${certificate} stays as it was there: ${error.message} ` +
              'Delete certificates that nothing uses or ask AWS for a higher quota (imported certificates, and imports in 365 days).',
            { cause: error },
          );
        },
        ConflictException(error) {
          throw new ThrottledError(
            `acm:ImportCertificate on ${resource} met another change of the same certificate and is tried again: ${error.message}`,
            { cause: error },
          );
        },
      });
      if (typeof answer === 'string') return answer;
      return { arn: answer.CertificateArn ?? arn ?? '' };
    },
  };
}

function importTime({ ImportedAt, CreatedAt }: CertificateSummary): number {
  return (ImportedAt ?? CreatedAt)?.getTime() ?? 0;
}

/** The key's algorithm and size as ACM names them; `null` for what is not a certificate. */
function keyAlgorithm(leaf: string): string | null {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(leaf).publicKey;
    return asymmetricKeyType === 'rsa'
      ? `RSA_${asymmetricKeyDetails?.modulusLength}`
      : `EC_${asymmetricKeyDetails?.namedCurve}`;
  } catch {
    return null; // ACM's own refusal says more than the parser's.
  }
}
