import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** Converts a JSON value to a DynamoDB attribute. It uses maps and lists, so that an operator can read an item in the console. */
export function toAttribute(value: unknown): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(toAttribute) };
  if (typeof value === 'object') return { M: toAttributes(value) };
  throw new TypeError(`A ${typeof value} cannot be kept in the ledger: JSON values only.`);
}

function toAttributes(value: object): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toAttribute(member)]));
}

/** Converts an attribute to a JSON value. Returns `null` for a missing attribute. */
export function fromAttribute(attribute: AttributeValue | undefined): unknown {
  if (attribute === undefined || attribute.NULL) return null;
  if (attribute.S !== undefined) return attribute.S;
  if (attribute.N !== undefined) return Number(attribute.N);
  if (attribute.BOOL !== undefined) return attribute.BOOL;
  if (attribute.L !== undefined) return attribute.L.map(fromAttribute);
  if (attribute.M !== undefined) {
    return Object.fromEntries(Object.entries(attribute.M).map(([name, member]) => [name, fromAttribute(member)]));
  }
  throw new TypeError(
    `The ledger holds an attribute of a kind that it never writes: ${Object.keys(attribute).join()}.`,
  );
}
