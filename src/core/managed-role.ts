// What is known of the document that the control plane writes into a managed role's Secret (acr.md section 18).
import { isRecord } from './records.ts';

/** Key of the document in the data of the Secret. */
export const MANAGED_ROLE_KEY = 'addon.token.config';

/** Why the control plane could not assume the role; undefined = it could: empty fields say that there was no error. */
export function managedRoleError(
  document: Readonly<Record<string, unknown>>,
): { readonly code: string; readonly message: unknown } | undefined {
  const { code, message } = isRecord(document.error) ? document.error : {};
  return typeof code === 'string' && code !== '' ? { code, message } : undefined;
}
