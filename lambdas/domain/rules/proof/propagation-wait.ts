/**
 * Seconds to wait before asking again. Route 53 usually has a change everywhere within 60 s, so the first looks are close
 * together: 1 + 5 + 10 + 19 x 15 = 301 s, the five minutes after which the proof is given up and the challenge left unanswered.
 */
export const propagationWaits: readonly number[] = [1, 5, 10, ...Array<number>(19).fill(15)];
