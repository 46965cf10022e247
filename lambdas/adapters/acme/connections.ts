import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { Issuer } from '../../domain/contract/config.ts';
import { bare, type Directory, privateAddress, urlProblem } from '../../domain/rules/ca-hosts.ts';
import { isPublic } from '../../domain/rules/public-addresses.ts';

/** PEM of the roots that are trusted for one issuer in addition to those of Node.js, by the URL of its directory. */
export type TrustedRoots = Readonly<Record<string, string>>;

/** The parts of the network that can be replaced. */
export interface Network {
  /** Looks up names. @default `getaddrinfo` of the system, which has no time limit */
  readonly lookup?: LookupFunction;
  /** Tells whether an address belongs to the public Internet. @default `isPublic` of the rules */
  readonly isPublic?: (address: string) => boolean;
}

/** Connections to the servers of one issuer. They trust the roots of this issuer only. */
export interface Connections {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /** Throws `RefusedUrlError` if the CA may not direct a request to this URL. */
  assertAllowed(url: string): void;
}

/** A request was not sent, because the CA may not direct it to this server. */
class RefusedUrlError extends Error {
  override name = 'RefusedUrlError';
  readonly code = 'EREFUSEDURL';
}

interface ConnectionOptions {
  /** Connections to one server at the same time. */
  readonly maxSockets: number;
  readonly trustedRoots?: TrustedRoots;
  readonly network?: Network;
}

/**
 * Directories whose host had a private address when a warm function connected to it last. The address of the connection counts and not an answer
 * of DNS, because over https the server has then proven its name. Otherwise the owner of a CA's domain could declare it private at any time.
 */
const privateDirectories = new Set<string>();

/** Contexts of a warm function by the PEM of the roots. Node.js would parse all of its roots again for each connection with roots of its own. */
const secureContexts = new Map<string, SecureContext>();

function secureContextFor(roots: string): SecureContext {
  const context = secureContexts.get(roots) ?? createSecureContext({ ca: [...rootCertificates, roots] });
  secureContexts.set(roots, context);
  return context;
}

/** Creates the connections of one invocation. `close` ends them, because no connection survives while the function is frozen. */
export function createConnections(options: ConnectionOptions) {
  const byDirectory = new Map<string, Connections>();
  return {
    to({ directoryUrl }: Pick<Issuer, 'directoryUrl'>): Connections {
      const connections = byDirectory.get(directoryUrl) ?? connectionsOf(directoryUrl, options);
      byDirectory.set(directoryUrl, connections);
      return connections;
    },
    close() {
      for (const { httpAgent, httpsAgent } of byDirectory.values()) {
        httpAgent.destroy();
        httpsAgent.destroy();
      }
    },
  };
}

function connectionsOf(
  directoryUrl: string,
  {
    maxSockets,
    trustedRoots = {},
    network: { lookup = systemLookup, isPublic: onInternet = isPublic } = {},
  }: ConnectionOptions,
): Connections {
  const directory: Directory = {
    url: directoryUrl,
    get isPrivate() {
      return privateDirectories.has(directoryUrl);
    },
  };
  const own = bare(new URL(directoryUrl).hostname);
  const roots = trustedRoots[directoryUrl];
  const settings = { keepAlive: true, maxSockets, lookup: checkedLookup(lookup, directory, onInternet) };
  const httpAgent = new http.Agent(settings);
  const httpsAgent = new https.Agent({ ...settings, ...(roots && { secureContext: secureContextFor(roots) }) });
  observe(httpAgent, 'connect');
  observe(httpsAgent, 'secureConnect');

  /** Notes at each connection to the host of the directory whether its address is private. */
  function observe(agent: http.Agent, connected: 'connect' | 'secureConnect'): void {
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      const socket = create(options, callback) as Socket;
      const note = () => {
        if (options.host !== own || socket.remoteAddress === undefined) return;
        if (onInternet(socket.remoteAddress)) privateDirectories.delete(directoryUrl);
        else privateDirectories.add(directoryUrl);
      };
      return socket.once(connected, note);
    };
  }

  return {
    httpAgent,
    httpsAgent,
    assertAllowed(url) {
      const problem = urlProblem(url, directory);
      if (problem) throw new RefusedUrlError(`the CA named ${url}, which ${problem}`);
    },
  };
}

/** A lookup that fails if a host other than that of the directory has a private address. Node.js does not call it for an address. */
function checkedLookup(
  lookup: LookupFunction,
  directory: Directory,
  onInternet: (address: string) => boolean,
): LookupFunction {
  return (host, options, callback) =>
    lookup(host, options, (error, found, family) => {
      if (error) return callback(error, found, family);
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address);
      const refused = privateAddress(host, addresses, directory, onInternet);
      if (refused === undefined) return callback(null, found, family);
      callback(new RefusedUrlError(`the CA named ${host}, which has the private address ${refused}`), found, family);
    });
}
