import { z } from 'zod';

const allowed = 'a number of renewals a second from 0.01 to 100, such as 0.7';

/**
 * Reads `pace`. Route 53 answers 10 requests a second in an AWS account, and a renewal makes about 11. So 10 / 11 = 0.9 renewals a second are the
 * most, and the default leaves a quarter of the requests to others.
 */
export const pace = z
  .number({ error: allowed })
  .min(0.01, { error: allowed })
  .max(100, { error: allowed })
  .default(0.7);
