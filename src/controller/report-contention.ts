// What is said while another writer keeps undoing what we write.
import { IGNORE_LABEL, MANAGER } from '../core/names.ts';
import type { Skip } from '../core/plan-types.ts';
import type { ReportOptions } from './report.ts';

/** Told while what we wrote is undone: fields are owned by whoever wrote them last, and that is the other writer now. */
export async function reportContention(
  options: Pick<ReportOptions, 'logger' | 'events' | 'readManagers'>,
  namespace: string,
  skip: Skip,
): Promise<void> {
  const { name, uid = '', message } = skip;
  const kind = skip.object ?? 'ServiceAccount';
  let managers: readonly string[] = [];
  try {
    managers = (await options.readManagers({ kind, namespace, name })).filter((manager) => manager !== MANAGER);
  } catch (error) {
    options.logger.debug('Field managers could not be read', { namespace, name, error });
  }
  const what = kind === 'Secret' ? 'Secret keeps being changed' : 'Reference keeps being removed';
  options.logger.warn(what, { namespace, name, managers });
  options.events.record({
    object: { apiVersion: 'v1', kind, namespace, name, uid },
    type: 'Warning',
    reason: 'Contended',
    message: kind === 'Secret' ? `${message}${ownersOf(managers)}` : referenceLost(managers),
  });
}

function referenceLost(managers: readonly string[]): string {
  const others = managers.length === 0 ? 'another writer' : managers.join(', ');
  return `imagePullSecrets loses our entry again and again to ${others}: waiting before adding it again. Label the ServiceAccount ${IGNORE_LABEL}=true to leave it alone.`;
}

/** Nobody is named where the Secret is gone, or put back as we wrote it. */
function ownersOf(managers: readonly string[]): string {
  return managers.length === 0 ? '' : `. What it holds now is from ${managers.join(', ')}.`;
}
