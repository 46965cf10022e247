/**
 * Inputs and outputs of the steps of the workflows, a file for each function. `infra/` and `lambdas/` share them. An absent value is `null`,
 * because JSONata treats a missing field as an error.
 *
 * No field holds a private key or a PEM block, because Step Functions keeps inputs and outputs for 90 days.
 */
export type * from './steps/certificate-steps.ts';
export type * from './steps/challenge-steps.ts';
export type * from './steps/check-steps.ts';
export type * from './steps/delivery-steps.ts';
export type * from './steps/fleet-steps.ts';
export type * from './steps/order-steps.ts';
export * from './steps/step-event.ts';
