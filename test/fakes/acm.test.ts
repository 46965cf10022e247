import { describe } from 'vitest';
import { acmBehaviour } from '../lambdas/adapters/aws/acm/acm-behaviour.ts';
import { FakeAcm } from './acm.ts';

describe('ACM in memory', () => {
  const acm = new FakeAcm();
  for (const region of ['eu-central-1', 'us-east-1']) acm.addRegion(region);
  acmBehaviour(() => ({
    acm,
    namesake: acm.of('Another'),
    serialNumber: async (region, arn) => acm.get(region, arn).serialNumber,
    delete: async (region, arn) => acm.delete(region, arn),
    removeTags: async (region, arn) => acm.removeTags(region, arn),
  }));
});
