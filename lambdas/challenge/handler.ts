import { clock } from '../adapters/aws/lambda/clock.ts';
import { stepHandler } from '../adapters/aws/lambda/step-handler.ts';
import { createHostedZonesAs } from '../adapters/aws/sts/assumed-roles.ts';
import { createAuthoritativeDns } from '../adapters/dns/authoritative.ts';
import { createNameServers } from '../adapters/dns/name-servers.ts';
import { rootServersOf } from '../adapters/dns/root-servers.ts';
import { environment } from '../domain/contract/environment.ts';
import type {
  CheckPropagationInput,
  CheckZonesInput,
  CleanUpChallengesInput,
  PresentChallengesInput,
} from '../domain/contract/steps.ts';
import { checkPropagation } from './check-propagation.ts';
import { checkZones } from './check-zones.ts';
import { cleanUpChallenges } from './clean-up-challenges.ts';
import { presentChallenges } from './present-challenges.ts';

/** The challenge function. It writes TXT records in Route 53 and queries DNS. It reads no key and does not contact the CA. */
export const handler = stepHandler((log) => {
  const hostedZonesAs = createHostedZonesAs();
  return {
    checkZones: (input: CheckZonesInput) =>
      checkZones(input, {
        hostedZonesAs,
        dns: createAuthoritativeDns({ rootServers: rootServersOf(process.env[environment.rootServers]) }),
        clock,
        log,
      }),
    presentChallenges: (input: PresentChallengesInput) => presentChallenges(input, { hostedZonesAs, clock }),
    checkPropagation: (input: CheckPropagationInput) =>
      checkPropagation(input, { hostedZonesAs, nameServers: createNameServers() }),
    cleanUpChallenges: (input: CleanUpChallengesInput) => cleanUpChallenges(input, { hostedZonesAs, clock, log }),
  };
});
