import {
  ACMClient,
  type CertificateSummary,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  type KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import type { NewArnReason } from '../../../domain/contract/certificate-facts.ts';
import type { KeyType } from '../../../domain/contract/config.ts';
import { tags } from '../../../domain/contract/environment.ts';
import {
  ImportLimitError,
  ImportRefusedError,
  ThrottledError,
  UnexpectedError,
} from '../../../domain/contract/errors.ts';
import type { AcmCertificates } from '../../../domain/ports/acm-certificates.ts';
import { newArnReason } from '../../../domain/rules/certificate/acm-import.ts';
import { clientSettings, sentOnce } from '../client.ts';
import { replyOf, translated } from '../translate-errors.ts';

const clients = new Map<string, ACMClient>();

function warmClientFor(region: string, settings: typeof clientSettings | typeof sentOnce = clientSettings): ACMClient {
  const key = `${region} ${settings.maxAttempts}`;
  const client = clients.get(key) ?? new ACMClient({ ...settings, region });
  clients.set(key, client);
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

/** Characters of a tag's value. https://docs.aws.amazon.com/acm/latest/userguide/tags-restrictions.html */
const longestTag = 256;

/** Imports into ACM, in any region. */
export function createAcmCertificates({
  stackTag,
  secretsTag,
  clientFor = warmClientFor,
}: {
  readonly stackTag: string;
  /** Region and prefix of the secrets: `eu-west-1/certificates/`. */
  readonly secretsTag: string;
  readonly clientFor?: typeof warmClientFor;
}): AcmCertificates {
  const ourTags = (certificate: string) => [
    { Key: tags.stack, Value: stackTag },
    { Key: tags.certificate, Value: certificate },
    { Key: tags.secrets, Value: secretsTag.slice(0, longestTag) },
  ];

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
    throw new UnexpectedError({
      what: `ACM in ${region} lists more than ${maximumPages * 1000} certificates: it was not searched further for an earlier import.`,
      region,
    });
  }

  async function isOurs(region: string, arn: string, certificate: string): Promise<boolean> {
    const reply = await replyOf(
      { action: 'acm:ListTagsForCertificate', resource: `certificate ${arn}` },
      clientFor(region).send(new ListTagsForCertificateCommand({ CertificateArn: arn })),
      // Deleted since it was listed.
      { ResourceNotFoundException: () => ({ Tags: [] }) },
    );
    const found = new Map(reply.Tags?.map(({ Key, Value }) => [Key, Value]));
    return ourTags(certificate).every(({ Key, Value }) => found.get(Key) === Value);
  }

  /** Why ACM refused to import over an ARN: `null` when a new one would be refused, too, as far as we know. */
  async function obstacle(region: string, arn: string, leaf: string): Promise<'notFound' | NewArnReason | null> {
    const reply = await replyOf(
      { action: 'acm:DescribeCertificate', resource: `certificate ${arn}` },
      clientFor(region).send(new DescribeCertificateCommand({ CertificateArn: arn })),
      {
        ResourceNotFoundException: () => 'notFound' as const,
        InvalidArnException: () => 'notFound' as const,
        // Where all is denied the import's own refusal says more.
        AccessDeniedException: () => null,
      },
    );
    if (reply === null || reply === 'notFound') return reply;
    return reply.Certificate ? newArnReason(reply.Certificate, leaf) : null;
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
        ...(arn ? { CertificateArn: arn } : { Tags: ourTags(certificate) }),
      });
      const refuse = (error: Error, toDo = ''): never => {
        throw new ImportRefusedError({
          what: `ACM in ${region} refuses the certificate.`,
          why: `${error.name}: ${error.message}`,
          remedy: `${toDo}The certificate is safe in its secret. Fix the cause and start the renewal again: it imports without a new order.`,
          certificate,
          region,
          cause: error,
        });
      };
      const refused = async (error: Error) =>
        (arn ? await obstacle(region, arn, pem.certificate) : null) ?? refuse(error);
      const tagged = ourTags(certificate)
        .map(({ Key, Value }) => `${Key} = ${Value}`)
        .join(', ');
      const tagsRefused = (error: Error) =>
        refuse(
          error,
          `The first import sets the tags ${tagged}. Later imports find the certificate by them, so let the tag policies of the ` +
            'organization allow these keys and values for acm:certificate. ',
        );
      const call = { action: 'acm:ImportCertificate', resource };
      // Our policy allows imports over what has our tag: one that was deleted has none, so IAM refuses it before ACM looks for it.
      const denied = async (error: Error) => {
        if (arn && (await obstacle(region, arn, pem.certificate)) === 'notFound') return 'notFound' as const;
        throw translated(error, {
          ...call,
          resource: arn ? `${resource} (which needs its tags: ${tagged})` : resource,
        });
      };
      // Without an ARN each import makes one.
      const client = arn ? clientFor(region) : clientFor(region, sentOnce);
      const answer = await replyOf(call, client.send(command), {
        AccessDeniedException: denied,
        ResourceNotFoundException: () => 'notFound' as const,
        InvalidArnException: () => 'notFound' as const,
        // ACM has no error of its own for what it does not take over an ARN, so what is there is asked for.
        InvalidParameterException: refused,
        ValidationException: refused,
        InvalidTagException: tagsRefused,
        TagPolicyException: tagsRefused,
        TooManyTagsException: tagsRefused,
        LimitExceededException(error) {
          throw new ImportLimitError({
            what: `ACM in ${region} takes no more imports, so it keeps the earlier certificate.`,
            why: `${error.message} ACM limits the imported certificates of an account and region (2,500) and the imports in 365 days (5,000).`,
            remedy:
              'Delete certificates that nothing uses, or ask AWS for a higher quota. Until then the new one is in its secret only.',
            certificate,
            region,
            cause: error,
          });
        },
        ConflictException(error) {
          throw new ThrottledError({
            what: `acm:ImportCertificate on ${resource} met another change of the same certificate.`,
            why: error.message,
            remedy: 'It is tried again.',
            ...call,
            cause: error,
          });
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
