import { createHostedZones } from '../aws/hosted-zones.ts';
import { clock, stepHandler } from '../aws/lambda.ts';
import { createNameServers } from '../dns/name-servers.ts';
import type {
  CheckPropagationInput,
  CheckZonesInput,
  CleanUpChallengesInput,
  PresentChallengesInput,
} from '../rules/contract.ts';
import { checkPropagation } from './check-propagation.ts';
import { checkZones } from './check-zones.ts';
import { cleanUpChallenges } from './clean-up-challenges.ts';
import { presentChallenges } from './present-challenges.ts';

/** Writes TXT records and reads DNS. Sees Route 53, and neither a key nor the CA. */
export const handler = stepHandler((log) => {
  const hostedZones = createHostedZones({});
  return {
    checkZones: (input: CheckZonesInput) => checkZones(input),
    presentChallenges: (input: PresentChallengesInput) => presentChallenges(input, { hostedZones, clock }),
    checkPropagation: (input: CheckPropagationInput) =>
      checkPropagation(input, { hostedZones, nameServers: createNameServers() }),
    cleanUpChallenges: (input: CleanUpChallengesInput) => cleanUpChallenges(input, { hostedZones, clock, log }),
  };
});
