/** CloudFormation stacks, for the custom resources. */
export interface Stacks {
  /** Tells whether CloudFormation is rolling back an update of this stack. */
  rollsBack(stackId: string): Promise<boolean>;
}
