// What is said while an add-on runs that this one replaces.
import { VENDOR_HELPER } from '../core/names.ts';
import type { Logger } from '../observability/logger.ts';
import type { RecordOnConfigMap } from './report-configuration.ts';

/** A Deployment of a vendor's add-on. */
export interface VendorDeployment {
  readonly namespace: string;
  readonly name: string;
}

/** One sentence: Alibaba's add-on runs, and what that means for us. */
export const HELPER_RUNS = runs(VENDOR_HELPER);

/** Says once that we stand down, and once that we no longer do. */
export function reportVendorHelper(
  logger: Logger,
  onConfigMap: RecordOnConfigMap,
  { place, isRunning }: { readonly place: VendorDeployment; readonly isRunning: boolean },
): void {
  const { namespace, name } = place;
  const deployment = `${namespace}/${name}`;
  if (isRunning) {
    logger.warn('Stood down while another add-on runs', { deployment });
    const command = `kubectl -n ${namespace} scale deployment ${name} --replicas=0`;
    onConfigMap('Warning', 'VendorHelperRuns', `${runs(place)}. To switch: ${command}.`);
    return;
  }
  logger.info('Took over from another add-on', { deployment });
  onConfigMap('Normal', 'VendorHelperRuns', `${deployment} does not run any more: what it left is taken over now.`);
}

function runs({ namespace, name }: VendorDeployment): string {
  const what =
    name === VENDOR_HELPER.name ? 'nothing new is written' : 'nothing is written for ImagePullSecret resources';
  return `${namespace}/${name} runs and would undo what is written: ${what} until it is stopped`;
}
