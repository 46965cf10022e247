import type { Deployments } from '../lambdas/domain/ports/deployments.ts';
import { wrapped } from './layout.ts';
import type { Terminal } from './terminal.ts';

/** Returns deployments that note once if the deployed version is older than the command line, whose answers may then have less. */
export function withVersionNote(deployments: Deployments, version: string, terminal: Terminal): Deployments {
  let noted = false;
  return {
    list: () => deployments.list(),
    async report(arn, input) {
      const reply = await deployments.report(arn, input);
      const { stack, version: deployed } = reply.deployment;
      if (!noted && isOlder(deployed, version))
        terminal.note(
          wrapped(
            `The stack ${stack} has version ${deployed}, which is older than this command line (${version}). Some commands may fail. Deploy this version, or use the command line of version ${deployed}.`,
            terminal.columns,
            0,
          ),
        );
      noted = true;
      return reply;
    },
  };
}

/** Compares the numbers of two versions. A version without numbers is never older. */
function isOlder(deployed: string, version: string): boolean {
  const [a, b] = [deployed, version].map((each) => (/^(\d+)\.(\d+)\.(\d+)/.exec(each) ?? []).slice(1).map(Number));
  if (a?.length !== 3 || b?.length !== 3) return false;
  const different = a.findIndex((number, index) => number !== b[index]);
  return different >= 0 && (a[different] ?? 0) < (b[different] ?? 0);
}
