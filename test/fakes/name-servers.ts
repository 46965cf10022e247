import type { NameServers } from '../../lambdas/domain/ports/dns.ts';

type Answers = (name: string) => readonly string[];

/** Name servers by address. Each one has answers of its own. */
export class FakeNameServers implements NameServers {
  readonly #servers = new Map<string, Answers>();

  /** Sets the answers of a server. A second call replaces them. */
  serve(server: string, answers: Answers): void {
    this.#servers.set(server, answers);
  }

  async txt(server: string, name: string): Promise<readonly string[]> {
    const answers = this.#servers.get(server);
    if (!answers) throw new Error(`No answers are set for name server ${server}.`);
    return answers(name);
  }
}
