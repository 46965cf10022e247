/** One line of a log group. */
export interface LogLine {
  /** Time at which it was written, in RFC 3339. */
  readonly at: string;
  readonly logGroup: string;
  readonly text: string;
}

export interface FoundLines {
  readonly lines: readonly LogLine[];
  /** Whether the search ended before the newest lines, because there are too many. */
  readonly incomplete: boolean;
}

/** The log groups of a deployment, with the operator's own credentials. */
export interface LogLines {
  /** Returns the lines that match a filter pattern of CloudWatch Logs, oldest first. A log group that does not exist has none. */
  find(logGroup: string, pattern: string, since: Date): Promise<FoundLines>;
}
