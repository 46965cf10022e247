import { createHash } from 'node:crypto';
import { parseAccountRequest } from '../domain/contract/account-request.ts';
import type { CertificateSpec, DeployedConfig, Issuer } from '../domain/contract/config.ts';
import { KeyRolloverUnsupportedError, UnknownCertificateError, UnknownIssuerError } from '../domain/contract/errors.ts';
import type { ResolveAccountRequestInput, ResolveAccountRequestOutput } from '../domain/contract/steps.ts';
import type { CertificateSecrets } from '../domain/ports/certificate-secrets.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';

export interface ResolveAccountRequestPorts {
  readonly config: DeployedConfig;
  readonly secrets: Pick<CertificateSecrets, 'describe'>;
}

/**
 * Returns the request with the objects that its names refer to, and checks that it can be carried out. The workflow waits for renewals in progress
 * later.
 *
 * It only reads, so it is safe to run twice.
 *
 * @throws InvalidInputError if the request is invalid
 * @throws UnknownIssuerError if the issuer is not configured
 * @throws UnknownCertificateError if the certificate is not configured or was never stored
 * @throws KeyRolloverUnsupportedError if the CA does not support key changes
 */
export async function resolveAccountRequest(
  { execution, request }: ResolveAccountRequestInput,
  ports: ResolveAccountRequestPorts,
): Promise<ResolveAccountRequestOutput> {
  const { config } = ports;
  const wanted = parseAccountRequest(request);
  const { action } = wanted;
  const nothing = {
    action,
    issuers: [],
    issuer: null,
    spec: null,
    versionId: null,
    reason: null,
    executionName: null,
    until: null,
  };
  switch (wanted.action) {
    case 'register':
      return { ...nothing, issuers: config.issuers };
    case 'deactivate':
      return { ...nothing, issuer: issuerOf(config, wanted.issuer) };
    case 'rollOverKey': {
      const issuer = issuerOf(config, wanted.issuer);
      if (!issuer.keyRollover) {
        throw new KeyRolloverUnsupportedError({
          what: `The account key at ${issuer.name} was not changed.`,
          why: `${issuer.name} does not support key changes (RFC 8555 §7.3.5).`,
          remedy: 'Deactivate the account instead. The next order registers a new account with a new key.',
          issuer: issuer.name,
        });
      }
      return { ...nothing, issuer };
    }
    case 'accountLink':
      return { ...nothing, spec: atIssuer(certificateOf(config, wanted.certificate), wanted.issuer) };
    case 'pause':
      return { ...nothing, spec: certificateOf(config, wanted.certificate), until: wanted.until };
    case 'resume':
      return { ...nothing, spec: certificateOf(config, wanted.certificate) };
    case 'revoke': {
      const spec = certificateOf(config, wanted.certificate);
      const secret = await ports.secrets.describe(spec.name);
      if (!secret?.currentVersion) {
        throw new UnknownCertificateError({
          what: 'There is nothing to revoke.',
          why: 'No certificate has been stored yet.',
          remedy: 'Check the name.',
          certificate: spec.name,
        });
      }
      // At most 40 + 17 of the 80 characters that a name may have.
      const executionName = `${spec.name}-revoked-${createHash('sha256').update(execution).digest('hex').slice(0, 8)}`;
      return {
        ...nothing,
        spec,
        versionId: wanted.versionId ?? secret.currentVersion,
        reason: wanted.reason,
        executionName,
      };
    }
  }
}

function issuerOf({ issuers }: DeployedConfig, name: string): Issuer {
  const issuer = issuers.find((each) => each.name === name);
  if (issuer) return issuer;
  throw new UnknownIssuerError({
    what: `The deployed configuration has no issuer ${name}.`,
    why: `Its issuers are: ${issuers.map((each) => each.name).join(', ')}.`,
    remedy: 'Check the name, or deploy the configuration that has it.',
    issuer: name,
  });
}

/** Returns the certificate with the issuer of this name. Without a name it has its configured issuer. */
function atIssuer(spec: CertificateSpec, name: string | undefined): CertificateSpec {
  const issuer = name === undefined ? spec.issuer : spec.issuers.find((each) => each.name === name);
  if (issuer) return { ...spec, issuer };
  throw new UnknownIssuerError({
    what: `Certificate ${spec.name} has no issuer ${name}.`,
    why: `Its issuers are: ${spec.issuers.map((each) => each.name).join(', ')}.`,
    remedy: 'Check the name, or leave it out.',
    issuer: name ?? '',
  });
}

function certificateOf(config: DeployedConfig, name: string): CertificateSpec {
  const spec = specOf(config, name);
  if (spec) return spec;
  throw new UnknownCertificateError({
    what: 'The deployed configuration has no certificate of this name.',
    remedy: 'Check the name, or deploy the configuration that has it.',
    certificate: name,
  });
}
