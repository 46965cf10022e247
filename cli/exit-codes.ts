/** Exit codes of all commands. They are documented in docs/command-line.md. */
export const exitCodes = {
  done: 0,
  /** The command has run, and an operator has to look at something. */
  attention: 1,
  /** An option or an argument is wrong. */
  usage: 2,
  /** There is no such deployment or certificate, or there is more than one. */
  notFound: 3,
  /** Credentials, a region or a permission is missing, AWS cannot be reached, or a check could not be made. */
  refused: 4,
  /** The command failed in another way. */
  failed: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error that ends the command with a message for the operator and an exit code. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** Returns the error of the command for a file or folder that could not be written. An error that has its own message stays as it is. */
export function notWritten(path: string, error: unknown): unknown {
  if (error instanceof CommandError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new CommandError(
    `${path || 'An empty path'} cannot be written. ${error.message}. Give another path, or change its permissions.`,
    exitCodes.usage,
  );
}
