import type { DnsServer } from './dns-server.ts';

/** The commands that `npm run local` accepts on standard input while it runs. */
export const COMMANDS = `Commands, each followed by Enter:
  hide NAME        hide all DNS records of a name, from the CA and from Perennial
  undelegate ZONE  remove the delegation of a hosted zone from its parent
  show             show all records and restore all delegations
  stop             stop everything, as Ctrl-C does`;

export interface CommandPorts {
  readonly dns: Pick<DnsServer, 'hide' | 'delegate' | 'showAll'>;
  /** Names of all hosted zones, without the trailing dot. */
  readonly zones: () => Promise<readonly string[]>;
  readonly stop: () => unknown;
}

/** Runs a command of the user. Names may have a trailing dot. @returns what was done, or what can be typed instead */
export async function runCommand(line: string, { dns, zones, stop }: CommandPorts): Promise<string> {
  const [word = '', argument = ''] = line.trim().toLowerCase().split(/\s+/);
  const name = argument.replace(/\.$/, '');
  if (word === 'hide' && name) {
    for (const view of ['authoritative', 'validation'] as const) dns.hide({ view, name });
    return `The records of ${name} are hidden, those of today and of later. "show" ends this.`;
  }
  if (word === 'undelegate' && name) {
    const existing = await zones();
    if (!existing.includes(name)) return `There is no hosted zone ${name}. Hosted zones: ${existing.join(', ')}.`;
    dns.delegate(name, null);
    return `The parent domain of ${name} no longer delegates it. "show" ends this.`;
  }
  if (word === 'show') {
    dns.showAll();
    return 'All records are visible, and all hosted zones are delegated.';
  }
  if (word === 'stop') {
    stop();
    return 'Everything is being stopped.';
  }
  return COMMANDS;
}
