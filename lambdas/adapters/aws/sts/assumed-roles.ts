import { Route53Client } from '@aws-sdk/client-route-53';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { ZoneRole } from '../../../domain/contract/config.ts';
import { RoleNotAssumedError, UnexpectedError } from '../../../domain/contract/errors.ts';
import type { HostedZones, HostedZonesAs } from '../../../domain/ports/hosted-zones.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { createHostedZones } from '../route-53/hosted-zones.ts';
import { replyOf } from '../translate-errors.ts';

/** The client uses the STS endpoint of the region of the function. Its tokens are valid in every region, and no other region has to be available. */
const warmClient = keptWarm(() => new STSClient(clientSettings));

/** Lifetime of the credentials, in seconds. It is the shortest of STS. The SDK requests new credentials 5 minutes before they expire. */
const duration = 900;

/** Longest name of a role session. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const longestSessionName = 64;

const kept = new Map<string, HostedZones>();

/**
 * Returns hosted zones with the credentials of a role, which are requested at the first call. They are kept for each role while the function is
 * warm. The name of the session identifies this stack in the CloudTrail of the other account.
 */
export function createHostedZonesAs({
  sts = warmClient(),
  clientWith = (credentials) => new Route53Client({ ...clientSettings, credentials }),
  warm = kept,
  functionName = process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'local',
  own = createHostedZones,
}: {
  readonly sts?: STSClient;
  readonly clientWith?: (credentials: () => Promise<RoleCredentials>) => Route53Client;
  readonly warm?: Map<string, HostedZones>;
  readonly functionName?: string;
  /** Returns the hosted zones of this account. */
  readonly own?: () => HostedZones;
} = {}): HostedZonesAs {
  const sessionName = `perennial-${functionName}`.slice(0, longestSessionName);
  return (role) => {
    if (!role) return own();
    const key = JSON.stringify([role.arn, role.externalId]);
    const zones =
      warm.get(key) ??
      createHostedZones({
        client: clientWith(() => assume(role, sessionName, sts)),
        role: role.arn,
        forget: () => warm.delete(key),
      });
    warm.set(key, zones);
    return zones;
  };
}

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

async function assume(role: ZoneRole, sessionName: string, sts: STSClient): Promise<RoleCredentials> {
  const command = new AssumeRoleCommand({
    RoleArn: role.arn,
    RoleSessionName: sessionName,
    DurationSeconds: duration,
    ExternalId: role.externalId,
  });
  const refused = (error: Error): never => {
    throw new RoleNotAssumedError({
      what: `Role ${role.arn} cannot be assumed.`,
      why: `STS says: ${error.message}`,
      remedy: whatToCheck(role),
      role: role.arn,
      cause: error,
    });
  };
  const sent = sts.send(command).catch((error: unknown) => {
    throw withoutExternalId(error, role);
  });
  const { Credentials } = await replyOf({ action: 'sts:AssumeRole', resource: `role ${role.arn}` }, sent, {
    // STS has the same error for a missing role, a trust policy without this function, and a wrong external id.
    AccessDenied: refused,
    AccessDeniedException: refused,
    ValidationError: refused,
    // STS is deactivated in this region for the account of the role.
    RegionDisabledException: refused,
  });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
  if (AccessKeyId && SecretAccessKey && SessionToken && Expiration)
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  throw new UnexpectedError({
    what: `sts:AssumeRole on role ${role.arn} returned no credentials.`,
    role: role.arn,
  });
}

function whatToCheck({ externalId }: ZoneRole): string {
  const condition =
    externalId === undefined
      ? 'asks for no external id, since none is configured (externalId of the zone)'
      : 'asks for the external id that is configured, and no other';
  return `See that it exists, that it trusts the role of the challenge function (output ChallengeRoleArn), and that it ${condition}.`;
}

/** Removes the external id from the text, because STS repeats an invalid value. */
function withoutExternalId(thrown: unknown, { externalId }: ZoneRole): unknown {
  if (!(thrown instanceof Error) || !externalId || !thrown.message.includes(externalId)) return thrown;
  return Object.assign(new Error(thrown.message.replaceAll(externalId, '[external id]')), { name: thrown.name });
}

/** Returns hosted zones with the operator's region and credentials, which may have to assume the roles of other accounts. */
export function createOperatorZones(operator: { readonly region?: string; readonly profile?: string }): HostedZonesAs {
  const settings = { ...clientSettings, ...operator };
  const route53 = new Route53Client(settings);
  return createHostedZonesAs({
    sts: new STSClient(settings),
    clientWith: (credentials) => new Route53Client({ ...settings, credentials }),
    warm: new Map(),
    functionName: 'cli',
    own: () => createHostedZones({ client: route53 }),
  });
}
