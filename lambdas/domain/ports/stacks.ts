/** CloudFormation, as far as a custom resource needs it. */
export interface Stacks {
  /** Whether CloudFormation takes back an update of this stack that failed. */
  rollsBack(stackId: string): Promise<boolean>;
}
