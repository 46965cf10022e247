import { ACMClient, type Tag } from '@aws-sdk/client-acm';
import { type Tags, tags } from '../../../domain/contract/environment.ts';
import { RegionUnavailableError } from '../../../domain/contract/errors.ts';
import { clientSettings, type sentOnce } from '../client.ts';

/** ACM of one region, as this stack uses it. */
export interface RegionalAcm {
  readonly region: string;
  readonly clientFor: typeof warmClientFor;
  readonly stackTag: string;
  /** Region and prefix of the secrets, such as `eu-west-1/certificates/`. */
  readonly secretsTag: string;
  /** The operator's tags. */
  readonly tags: Tags;
}

const clients = new Map<string, ACMClient>();

export function warmClientFor(
  region: string,
  settings: typeof clientSettings | typeof sentOnce = clientSettings,
): ACMClient {
  const key = `${region} ${settings.maxAttempts}`;
  const client = clients.get(key) ?? new ACMClient({ ...settings, region });
  clients.set(key, client);
  return client;
}

/**
 * The reply of ACM. In a region that is not enabled in the account, every AWS service says that the credentials are invalid. Those of the function are
 * valid, because it has read the secret with them. A region without ACM has no host name.
 *
 * @throws RegionUnavailableError
 */
export async function inRegion<Reply>({ region }: Pick<RegionalAcm, 'region'>, reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    const [name, code] = error instanceof Error ? [error.name, 'code' in error ? error.code : null] : [];
    if (name !== 'UnrecognizedClientException' && code !== 'ENOTFOUND') throw error;
    throw new RegionUnavailableError({
      what: `ACM in ${region} cannot be used.`,
      why: `${name}: ${(error as Error).message}`,
      remedy:
        `Enable ${region} with: aws account enable-region --region-name ${region}. Or remove it from the regions of the certificate. The certificate is ` +
        'safe in its secret, and is imported without a new order.',
      region,
      cause: error,
    });
  }
}

/** Longest value of a tag, in characters. https://docs.aws.amazon.com/acm/latest/userguide/tags-restrictions.html */
const longestTag = 256;

/** The tags of a first import. ACM's console shows `Name` in its list. A tag of the operator with this key wins. */
export function firstTagsOf(acm: RegionalAcm, certificate: string): Tag[] {
  const { Name = certificate, ...tags } = acm.tags;
  return [{ Key: 'Name', Value: Name }, ...listOf(tags), ...tagsOf(acm, certificate)];
}

export const listOf = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** The tags that the first import of a certificate sets, and by which later ones find it. */
export function tagsOf({ stackTag, secretsTag }: RegionalAcm, certificate: string): readonly Tag[] {
  return [
    { Key: tags.stack, Value: stackTag },
    { Key: tags.certificate, Value: certificate },
    { Key: tags.secrets, Value: secretsTag.slice(0, longestTag) },
  ];
}
