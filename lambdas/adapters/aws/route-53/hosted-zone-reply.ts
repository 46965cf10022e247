import { InvalidChangeBatch } from '@aws-sdk/client-route-53';
import { RoleNotAssumedError, ThrottledError, ZoneNotFoundError } from '../../../domain/contract/errors.ts';
import { accessDenied, type Call, replyOf } from '../translate-errors.ts';

/** Whose credentials the calls are made with. */
export interface RoleCredentialsUse {
  /** ARN of their role, where they are not the function's own. */
  readonly role?: string;
  /** Called when they are found to be of no use any more: the next client is to get new ones. */
  readonly forget?: () => void;
}

/** Replies of Route 53 about one hosted zone: errors name the zone, and the role where there is one. */
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
        remedy: 'The next try gets new credentials.',
        zone: hostedZoneId,
        ...call,
        cause: error,
      });
    };
    return replyOf<Reply, Answer>(call, sent, {
      AccessDenied(error) {
        throw accessDenied(error, call, likelyRemedy(error, call)).with({ zone: hostedZoneId });
      },
      NoSuchHostedZone(error) {
        throw new ZoneNotFoundError({
          what: `Hosted zone ${hostedZoneId} does not exist.`,
          why: `Route 53 answers ${call.action} on ${resource}: ${error.message}`,
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
 * Route 53 may refuse a change in a form of its own, `<InvalidChangeBatch><Messages>`, which this SDK knows under no name. AWS's SDK for Go
 * reads it as well as the form of all other errors (aws/aws-sdk-go-v2, service/route53/internal/customizations).
 */
export function asInvalidChangeBatch(
  error: Error & { readonly Messages?: { readonly Message?: string | string[] } },
): never {
  if (!error.Messages?.Message) throw error;
  const messages = [error.Messages.Message].flat();
  throw new InvalidChangeBatch({ messages, message: messages.join(' '), $metadata: {} });
}

/** What it usually is, beside what may deny any call. */
function likelyRemedy({ message }: Error, { action, role }: Call): string {
  if (role) {
    // An identifier was added here, and not there.
    return action === 'route53:ChangeResourceRecordSets'
      ? ' If these records are new, add them, without `_acme-challenge.`, to `names` of the ChallengeRole there and deploy it.'
      : '';
  }
  // Said of a zone of another account, whatever our own policies allow.
  return message.includes('to access this resource')
    ? ' The zone seems to be of another account: give it the roleArn of a ChallengeRole there, in hostedZones of the config.'
    : '';
}
