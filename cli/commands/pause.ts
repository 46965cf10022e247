import * as z from 'zod/mini';
import type { SetPauseOutput } from '../../lambdas/domain/contract/steps.ts';
import { carryOut, type RequestOptions, type RequestPorts } from '../account-requests.ts';
import { commandFor, readReport } from '../deployment.ts';
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts';
import { wrapped } from '../layout.ts';
import { minuteOf } from '../sentences.ts';

export interface PauseOptions extends RequestOptions {
  /** A date, or a time in RFC 3339. */
  readonly until: string;
}

/** Pauses the renewals of a certificate until a time. In an emergency it is still renewed. */
export async function pause(name: string, options: PauseOptions, ports: RequestPorts): Promise<ExitCode> {
  const { deployments, terminal, clock } = ports;
  const until = timeIn(options.until, clock.now());
  const { deployment, certificates } = await readReport(deployments, options, [name]);
  const notAfter = certificates[0]?.current?.notAfter;
  if (notAfter !== undefined && Date.parse(notAfter) <= until.getTime())
    terminal.note(
      wrapped(
        `${name} expires at ${minuteOf(notAfter)} UTC, before the pause ends. It is renewed earlier, as an emergency.`,
        terminal.columns,
        0,
      ),
    );
  const request = { action: 'pause', certificate: name, until: until.toISOString() } as const;
  const result = ({ pausedUntil }: SetPauseOutput) =>
    `Renewals of ${name} are paused until ${minuteOf(pausedUntil ?? request.until)} UTC, except in an emergency. ${commandFor(`resume ${name}`, options)} ends the pause.`;
  return carryOut(deployment, { request, what: `The pause of ${name}`, result }, options, ports);
}

/** A date without a time begins at midnight UTC. */
const timeSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

function timeIn(text: string, now: Date): Date {
  if (!timeSchema.safeParse(text).success)
    throw new CommandError(
      `--until ${text} is no date and no time in RFC 3339. Give 2027-01-31 or 2027-01-31T12:00:00Z.`,
      exitCodes.usage,
    );
  const time = new Date(text);
  if (time > now) return time;
  throw new CommandError(
    `--until ${text} is in the past. It is ${minuteOf(now.toISOString())} UTC now.`,
    exitCodes.usage,
  );
}
