/**
 * Seconds to wait before each further propagation check. Route 53 usually needs up to 60 s, and the first checks are early for fast zones.
 * Total: 1 + 5 + 10 + 19 × 15 = 301 s, just over five minutes. After that the step fails and the challenge is not answered.
 */
export const propagationWaits: readonly number[] = [1, 5, 10, ...Array<number>(19).fill(15)];
