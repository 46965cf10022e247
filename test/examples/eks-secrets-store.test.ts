import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (name: string): unknown => parse(readFileSync(`examples/eks-secrets-store/${name}.yaml`, 'utf8'));

const text = { type: 'string', minLength: 1 };
const exactly = (properties: Readonly<Record<string, object>>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/**
 * The schema of SecretProviderClass v1. The API server drops fields that the resource definition does not have, so that they are rejected here.
 * https://github.com/kubernetes-sigs/secrets-store-csi-driver/blob/main/config/crd/bases/secrets-store.csi.x-k8s.io_secretproviderclasses.yaml
 */
const secretProviderClass = exactly({
  apiVersion: { const: 'secrets-store.csi.x-k8s.io/v1' },
  kind: { const: 'SecretProviderClass' },
  metadata: exactly({ name: text }),
  spec: exactly(
    {
      provider: text,
      parameters: { type: 'object', additionalProperties: { type: 'string' } },
      secretObjects: {
        type: 'array',
        items: exactly(
          {
            secretName: text,
            type: text,
            labels: { type: 'object', additionalProperties: { type: 'string' } },
            annotations: { type: 'object', additionalProperties: { type: 'string' } },
            data: { type: 'array', items: exactly({ key: text, objectName: text }) },
          },
          [],
        ),
      },
    },
    ['provider', 'parameters'],
  ),
});

/** The entries of `objects`, as AWS's provider reads them from YAML. https://github.com/aws/secrets-store-csi-driver-provider-aws#usage */
const objects = {
  type: 'array',
  items: exactly(
    {
      objectName: text,
      objectType: { const: 'secretsmanager' },
      objectAlias: text,
      objectVersionLabel: text,
      jmesPath: { type: 'array', items: exactly({ path: text, objectAlias: text }) },
    },
    ['objectName', 'objectType'],
  ),
};

const manifest = read('secret-provider-class') as {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly parameters: { readonly objects: string } };
};

describe('the SecretProviderClass', () => {
  test('is valid in the schema of its resource definition', () => {
    const validate = new Ajv().compile(secretProviderClass);
    expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...manifest, spec: { ...manifest.spec, objects: [] } })).toBe(false);
  });

  test('reads one secret, key and chain in one request, and no version by its id', () => {
    const entries: unknown = parse(manifest.spec.parameters.objects);
    const validate = new Ajv().compile(objects);
    expect(validate(entries), JSON.stringify(validate.errors)).toBe(true);
    expect(validate([{ objectName: 'a', objectType: 'secretsmanager', objectVersion: 'b' }])).toBe(false);
    expect(entries).toEqual([
      {
        objectName: 'certificates/www',
        objectType: 'secretsmanager',
        objectAlias: 'www.json',
        jmesPath: [
          { path: 'fullChain', objectAlias: 'tls.crt' },
          { path: 'privateKey', objectAlias: 'tls.key' },
        ],
      },
    ]);
  });

  test('is the one that the pod mounts', () => {
    expect(read('pod')).toMatchObject({
      spec: {
        volumes: [{ csi: { volumeAttributes: { secretProviderClass: manifest.metadata.name } } }],
        containers: [{ volumeMounts: [{ mountPath: '/etc/tls' }] }],
      },
    });
  });
});
