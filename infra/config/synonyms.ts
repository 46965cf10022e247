import type { Synonyms } from '../../lambdas/domain/rules/suggestion.ts';

const renewalTime =
  'remove it, because the CA decides when a certificate is renewed, by the window that it announces (ARI, RFC 9773)';
const contact = "the contact address is an option of the issuer, such as contact: ['ops@example.com']";

/** Keys of other tools that have no counterpart in the same object, with what to do instead. */
export const elsewhere: Synonyms = {
  contact,
  email: contact,
  mail: contact,
  daysbeforeexpiry: renewalTime,
  renewbefore: renewalTime,
  renewbeforedays: renewalTime,
  renewbeforeexpiry: renewalTime,
  renewalwindow: renewalTime,
};
