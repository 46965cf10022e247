/** Returns an error as the SDK throws it. Callers recognize it by its name. */
export function awsError(name: string, message = `${name} happened`, httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode } });
}
