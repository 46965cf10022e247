/** Time and chance, so that rules and tests own them. */
export interface Clock {
  now(): Date;
  /** Only for a compare-and-swap that lost a race: milliseconds, at most 5 s in a step. */
  sleep(milliseconds: number): Promise<void>;
  /** 0 up to, not including, 1. */
  random(): number;
}

/** Lines for the operator, beside the one line that every step writes. */
export interface StepLog {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** CloudWatch metrics of the fleet in embedded metric format. */
export interface FleetMetrics {
  fleet(values: Readonly<Record<'Certificates' | 'Due' | 'Postponed' | 'Failing' | 'NotServed', number>>): void;
  /** Of the certificate that expires first; nothing is emitted when none is issued. */
  minimumDaysToExpiry(days: number): void;
}
