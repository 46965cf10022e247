import { InvalidChangeBatch } from '@aws-sdk/client-route-53';
import { RoleNotAssumedError, ThrottledError, ZoneNotFoundError } from '../../../domain/contract/errors.ts';
import { accessDenied, type Call, replyOf } from '../translate-errors.ts';

/** The credentials of the calls. */
export interface RoleCredentialsUse {
  /** ARN of the role, if it is not the role of the function. */
  readonly role?: string;
  /** Called when the credentials are rejected, so that the next client gets new ones. */
  readonly forget?: () => void;
}

/** Returns replies of Route 53 about one hosted zone. Errors name the zone, and the role if there is one. */
export function hostedZoneReply({ role, forget }: RoleCredentialsUse) {
  return <Reply, Answer = never>(
    action: string,
    hostedZoneId: string,
    sent: Promise<Reply>,
    answers: Readonly<Record<string, (error: Error) => Answer>> = {},
    resource = `hosted zone ${hostedZoneId}`,
  ): Promise<Reply | Answer> => {
    const call = { action: `route53:${action}`, resource, role };
    const expired = (error: Error): never => {
      forget?.();
      throw new ThrottledError({
        what: `The credentials of role ${role} have expired, so ${call.action} on ${resource} was refused.`,
        why: error.message,
        remedy: 'The next attempt gets new credentials.',
        zone: hostedZoneId,
        ...call,
        cause: error,
      });
    };
    return replyOf<Reply, Answer>(call, sent, {
      AccessDenied(error) {
        throw accessDenied(error, call, { likely: likelyRemedy(error, call) }).with({ zone: hostedZoneId });
      },
      NoSuchHostedZone(error) {
        throw new ZoneNotFoundError({
          what: `Hosted zone ${hostedZoneId} does not exist.`,
          why: `Route 53 replied to ${call.action} on ${resource}: ${error.message}`,
          remedy: 'Correct its id in hostedZones of the config and deploy.',
          zone: hostedZoneId,
          cause: error,
        });
      },
      RoleNotAssumedError(error) {
        if (!(error instanceof RoleNotAssumedError)) throw error;
        const { role: refused } = error.fields;
        throw error.with({ what: `No access to ${resource}: role ${refused} cannot be assumed.`, zone: hostedZoneId });
      },
      ...(role && { ExpiredToken: expired, ExpiredTokenException: expired, InvalidClientTokenId: expired }),
      ...answers,
    });
  };
}

/**
 * Recognises a rejected change. Route 53 may use a special format for it, `<InvalidChangeBatch><Messages>`, for which this SDK has no name. The AWS
 * SDK for Go reads both formats (aws/aws-sdk-go-v2, service/route53/internal/customizations).
 */
export function asInvalidChangeBatch(
  error: Error & { readonly Messages?: { readonly Message?: string | string[] } },
): never {
  if (!error.Messages?.Message) throw error;
  const messages = [error.Messages.Message].flat();
  throw new InvalidChangeBatch({ messages, message: messages.join(' '), $metadata: {} });
}

/** The usual cause of a denied call to Route 53. */
function likelyRemedy({ message }: Error, { action, role }: Call): string {
  if (role) {
    // An identifier was added in this stack but not in the role of the other account.
    return action === 'route53:ChangeResourceRecordSets'
      ? ' If these records are new, add them, without `_acme-challenge.`, to `names` of the ChallengeRole there and deploy it.'
      : '';
  }
  // AWS says it about a zone of another account, whatever the policies of this account allow.
  return message.includes('to access this resource')
    ? ' The zone seems to be of another account: give it the roleArn of a ChallengeRole there, in hostedZones of the config.'
    : '';
}
