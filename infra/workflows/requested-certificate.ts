/**
 * Expression for the certificate that the input of an execution names, for the log and for events. The input may have any shape and any text, so a
 * text that cannot be the name of a certificate (`config/certificates.ts`) counts as empty. The steps read the complete input and say what is wrong.
 */
export const requestedCertificate =
  "{% $type($states.input.certificate) = 'string' and $length($states.input.certificate) <= 40 ? " +
  "($contains($states.input.certificate, /^[a-z0-9-]+$/) ? $states.input.certificate : '') : '' %}";
