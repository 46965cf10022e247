/** Calls that a role has to be allowed. Each action is evaluated on each resource. */
export interface SimulatedCalls {
  readonly actions: readonly string[];
  /** ARNs, or `*`. */
  readonly resources: readonly string[];
  /** Values of condition keys. A list is the value of a key that has several. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** A call that the role may not make. */
export interface DeniedCall {
  readonly action: string;
  readonly resource: string;
  /** `policy` if no policy of the role allows it, and `deny` if a statement denies it. */
  readonly by: 'policy' | 'deny' | 'boundary' | 'organization';
}

/** IAM as the operator sees it. */
export interface RolePermissions {
  /** Evaluates the policies of a role, its boundary and those of the organization. Returns the calls that are denied. */
  denied(role: string, calls: SimulatedCalls): Promise<readonly DeniedCall[]>;
  /** Returns the ARN of the operator. */
  caller(): Promise<string>;
}
