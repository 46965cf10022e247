/** RFC 5280 §5.3.1, those that CAs take from subscribers (Boulder: 0, 1, 4, 5). */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  superseded: 4,
  cessationOfOperation: 5,
} as const;
export type RevocationReason = keyof typeof revocationReasons;
