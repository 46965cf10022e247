import type { NameServers } from '../../lambdas/domain/ports/dns.ts';

type Answers = (name: string) => readonly string[];

/** Name servers by address, each with its own view of the world. */
export class FakeNameServers implements NameServers {
  readonly #servers = new Map<string, Answers>();

  /** This server answers so; also from now on differently. */
  serve(server: string, answers: Answers): void {
    this.#servers.set(server, answers);
  }

  async txt(server: string, name: string): Promise<readonly string[]> {
    const answers = this.#servers.get(server);
    if (!answers) throw new Error(`The fake name servers were not told about ${server}.`);
    return answers(name);
  }
}
