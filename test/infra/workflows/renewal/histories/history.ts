import { createPublicKey, X509Certificate } from 'node:crypto';
import type { CertificateSecretValue } from '../../../../../lambdas/domain/contract/certificate-secret.ts';
import type { CertificateSpec } from '../../../../../lambdas/domain/contract/config.ts';
import { fleetDecision } from '../../../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { Killed } from '../../../../fakes/recorder.ts';
import type { World } from '../../../../fakes/world.ts';
import { type Ended, TaskError } from '../../state-machine.ts';
import { renew, runAccountsWorkflow, spec, world } from '../renewal-in-memory.ts';

const arnOf = (name: string): string => `arn:aws:states:eu-west-1:111122223333:execution:Renewal:${name}`;
const checkInterval = 21_600;

/** What becomes of an execution whose function is killed: the execution stops too, or the workflow catches the error. */
type AfterKill = 'stops' | 'continues';

/**
 * The history of the certificate `www` in a world in memory: executions of the deployed workflows, the faults that a test adds, and what is done
 * about them in AWS. An execution that stops is restarted by the restart rule, and the fleet runs every six hours.
 */
export class History {
  readonly world: World = world();
  configured: CertificateSpec;
  /** Versions with the label AWSCURRENT, in the order in which they became current. */
  readonly currents: string[] = [];
  /** Invariants that did not hold at some moment. */
  readonly broken: string[] = [];
  /** Ends of the executions that did not stop, by ARN. */
  readonly ends = new Map<string, Ended>();
  /** How many certificates may be issued. @default 1 */
  allowedIssues = 1;
  /** Whether TXT values of an interrupted execution may stay in DNS. */
  mayLeaveValues = false;
  #executions = 0;

  constructor(configured: CertificateSpec = spec) {
    this.configured = configured;
    this.world.calls.after = () => this.#watchCurrent();
  }

  /** Runs a renewal. Returns its ARN, and whether it stopped before its end. */
  async renewal(
    input: object = { certificate: 'www' },
    { afterKill = 'stops' }: { readonly afterKill?: AfterKill } = {},
  ): Promise<{ readonly arn: string; readonly stopped: boolean }> {
    const arn = this.#newArn('www');
    const killed = (error: Killed) => {
      if (afterKill === 'stops') return error;
      this.world.calls.restart();
      return new TaskError('Runtime.ExitError', 'signal: killed');
    };
    const options = { input, arn, killed, configured: this.configured, retries: true };
    return { arn, stopped: await this.#ended(arn, renew(this.world, options)) };
  }

  /**
   * Runs a renewal whose function stalls before a call. Meanwhile the execution is stopped, its restart finishes the renewal, and the operator forces
   * another one. Then the function continues to its end, as a function does whose execution was stopped.
   */
  async stalledRenewal(call: number): Promise<void> {
    const arn = this.#newArn('www');
    let isStopped = false;
    const act = async () => {
      isStopped = true;
      this.world.executions.setStatus(arn, 'ended');
      await this.restart(arn);
      await this.renewal({ certificate: 'www', force: true });
    };
    this.world.calls.disturb(this.world.calls.made.length + call, { kind: 'meanwhile', act });
    const observe = () => {
      if (isStopped) throw new Killed('The execution was stopped.');
    };
    const options = { input: { certificate: 'www' }, arn, configured: this.configured, retries: true, observe };
    await this.#ended(arn, renew(this.world, options));
  }

  /**
   * Runs a revocation for a compromised key, and the renewal that it starts. If it fails, the operator starts it again an hour later, twice at most.
   *
   * @param versionId version of the secret. @default the current one
   */
  async revocation(
    versionId = this.world.secrets.currentVersion('www') ?? undefined,
    startsLeft = 2,
  ): Promise<{ readonly stopped: boolean }> {
    const arn = this.#newArn('revocation');
    const input = { action: 'revoke', certificate: 'www', reason: 'keyCompromise', versionId };
    const options = { input, arn, configured: this.configured, retries: true };
    const running = runAccountsWorkflow(this.world, options, (replacement) => this.renewal(replacement));
    const stopped = await this.#ended(arn, running);
    if (startsLeft === 0 || this.ends.get(arn)?.status !== 'FAILED') return { stopped };
    this.world.clock.advance(3_600_000);
    return this.revocation(versionId, startsLeft - 1);
  }

  /** Restarts an execution that stopped, as the restart rule does. */
  async restart(stopped: string): Promise<{ readonly arn: string; readonly stopped: boolean }> {
    this.world.calls.restart();
    return this.renewal({ restartOf: stopped });
  }

  /** Runs the fleet every six hours, for at most four days, until it has nothing to do and nothing has failed. */
  async settle(): Promise<void> {
    this.world.calls.restart();
    for (let run = 0; run < 16; run++) {
      const { clock, ledger } = this.world;
      clock.advance(checkInterval * 1000);
      const record = ledger.get('www');
      const decision = fleetDecision(this.configured, record, checkInterval, clock.now());
      if (decision) await this.renewal();
      else if (!record.failure) return;
    }
  }

  /** The operator makes another version current. Only then may AWSCURRENT move back. */
  operatorMakesCurrent(versionId: string): void {
    this.world.secrets.restore('www', versionId);
    this.currents.length = 0;
    this.#watchCurrent();
  }

  /** Returns the value of the current certificate, or `null` before the first one. */
  current(): CertificateSecretValue | null {
    const text = this.world.secrets.labelledOrNull('www', 'AWSCURRENT');
    const value = JSON.parse(text ?? '{"format":0}') as CertificateSecretValue;
    return value.format === 1 ? value : null;
  }

  #newArn(name: string): string {
    this.#executions += 1;
    const arn = arnOf(`${name}-${this.#executions}`);
    this.world.executions.setStatus(arn, 'live');
    return arn;
  }

  async #ended(arn: string, running: Promise<Ended>): Promise<boolean> {
    try {
      this.ends.set(arn, await running);
      return false;
    } catch (error) {
      if (error instanceof Killed) return true;
      throw error;
    } finally {
      this.world.executions.setStatus(arn, 'ended');
    }
  }

  /** Checks each version that becomes current. A reader may read it at this moment. */
  #watchCurrent(): void {
    const version = this.world.secrets.currentVersion('www');
    if (version === null || version === this.currents.at(-1)) return;
    if (this.currents.includes(version)) this.broken.push('AWSCURRENT never moves back');
    this.currents.push(version);
    const value = this.current();
    if (value === null || !isWhole(value)) this.broken.push('AWSCURRENT is always a whole certificate with its key');
  }
}

function isWhole({ certificate, fullChain, privateKey }: CertificateSecretValue): boolean {
  const ofCertificate = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' });
  const ofKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  return fullChain.startsWith(certificate) && ofCertificate === ofKey;
}
