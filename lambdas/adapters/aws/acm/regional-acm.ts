import { ACMClient, type Tag } from '@aws-sdk/client-acm';
import { type Tags, tags } from '../../../domain/contract/environment.ts';
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
