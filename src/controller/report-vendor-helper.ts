// What is said while the add-on that this one replaces runs.
import { VENDOR_HELPER } from '../core/names.ts';
import type { Logger } from '../observability/logger.ts';
import type { RecordOnConfigMap } from './report-configuration.ts';

const { namespace, name } = VENDOR_HELPER;

/** One sentence: what runs, and what that means for us. */
export const HELPER_RUNS = `${namespace}/${name} runs and would undo what is written: nothing new is written until it is stopped`;

/** Says once that we stand down, and once that we no longer do. */
export function reportVendorHelper(logger: Logger, onConfigMap: RecordOnConfigMap, isRunning: boolean): void {
  if (isRunning) {
    logger.warn('Stood down while another add-on runs', { deployment: `${namespace}/${name}` });
    const command = `kubectl -n ${namespace} scale deployment ${name} --replicas=0`;
    onConfigMap('Warning', 'VendorHelperRuns', `${HELPER_RUNS}. To switch: ${command}.`);
    return;
  }
  logger.info('Took over from another add-on', { deployment: `${namespace}/${name}` });
  onConfigMap(
    'Normal',
    'VendorHelperRuns',
    `${namespace}/${name} does not run any more: what it left is taken over now.`,
  );
}
