/** Gigabytes of memory of the function of the fleet. */
export const memory = 1;

/** List prices of us-east-1 in USD, for functions on arm64. https://aws.amazon.com/pricing */
const prices = {
  lambdaGigabyteSecond: 0.0000133334,
  /** A read of DynamoDB of up to 4 KB with strong consistency. With eventual consistency it is half of one. */
  itemRead: 0.125 / 1_000_000,
  secretRead: 0.05 / 10_000,
} as const;

/** Reads of a page of 1 MB with eventual consistency: 1,000,000 / 4,096 / 2. */
const readsOfPage = 122;

export interface Usage {
  readonly lambdaSeconds: number;
  readonly scannedPages?: number;
  readonly itemReads?: number;
  readonly secretReads?: number;
}

/** Returns what AWS charges in USD, without free tiers. */
export function dollars({ lambdaSeconds, scannedPages = 0, itemReads = 0, secretReads = 0 }: Usage): number {
  return (
    lambdaSeconds * memory * prices.lambdaGigabyteSecond +
    (scannedPages * readsOfPage + itemReads) * prices.itemRead +
    secretReads * prices.secretRead
  );
}
