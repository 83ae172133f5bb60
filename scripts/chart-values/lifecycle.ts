// Values about what is checked after an installation, and what is left of it.
import { RESOURCES } from './schemas.ts';
import { choice, flag, integer, list, section, value, type Members } from './shape.ts';

const RESOURCES_OF_A_JOB = { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '256Mi' } };

/** `helm test`, and the end. */
export const LIFECYCLE: Members = {
  selfTest: section('What `helm test` runs.', {
    enabled: flag('Whether there is such a Pod.', true),
    registries: flag('Log in to each registry of the configuration, too.', false),
    resources: value('Requests and limits of its container.', RESOURCES_OF_A_JOB, RESOURCES),
  }),
  onUninstall: choice(
    '`retain`: Secrets and references stay, so that Pods go on pulling until the credentials expire. `cleanup`: `helm uninstall` first runs a Job that removes them, the tokens that were made at clouds, and the lines in hosts files.',
    'retain',
    ['retain', 'cleanup'],
  ),
  cleanup: section('That Job.', {
    deadlineSeconds: integer(
      'Seconds after which it gives up, at least 120; then the installation goes on as before. Less than the `--timeout` of Helm (5 minutes unless you say otherwise), which takes the rights of the Job away when that is over.',
      240,
      120,
    ),
    resources: value('Requests and limits of its container.', RESOURCES_OF_A_JOB, RESOURCES),
  }),
  extraObjects: list('Further objects of the release, as maps or texts; `{{ … }}` in them is a template.', {
    type: ['object', 'string'],
  }),
};
