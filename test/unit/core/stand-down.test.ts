// What is left of a plan while the add-on that we replace still runs.
import { describe, expect, test } from '@jest/globals';
import { standDown } from '../../../src/core/stand-down.ts';
import type { Plan, Write, WriteReason } from '../../../src/core/plan-types.ts';

const HELPER = 'kube-system/aliyun-acr-credential-helper';
const at = { namespace: 'shop', name: 'x', uid: 'u', resourceVersion: '1' };
const content = { labels: {}, annotations: {}, dockerConfigJson: '{}' };
const update = (reason: WriteReason): Write => ({ kind: 'update-secret', ...at, content, reason });
const patch = (added: readonly string[], removed: readonly string[]): Write => ({
  ...{ kind: 'patch-service-account', ...at, imagePullSecrets: added, recorded: added, added, removed },
  reason: added.length > 0 ? 'ReferenceMissing' : 'ReferenceUnwanted',
});
const planOf = (...writes: Write[]): Plan => ({ writes, skips: [], nextCheckAt: 7, truncated: true });

describe('[acr S4] while the vendor’s helper runs', () => {
  test.each<[string, Write]>([
    ['no Secret is created', { kind: 'create-secret', namespace: 'shop', name: 'x', content, reason: 'SecretMissing' }],
    ['no Secret is replaced', { kind: 'replace-secret', ...at, content, reason: 'SecretTypeWrong' }],
    ['no Secret of it is adopted', update('SecretAdopted')],
    ['nothing is put right that it edits', update('SecretEdited')],
    ['no reference is added', patch(['x'], [])],
    ['no reference is exchanged', patch(['x'], ['y'])],
  ])('%s, and that is said', (_name, write) => {
    expect(standDown(planOf(write))).toEqual({
      writes: [],
      skips: [
        {
          reason: 'VendorHelperRuns',
          name: HELPER,
          message: `${HELPER} runs and would undo it: 1 write waits until it is stopped`,
        },
      ],
      nextCheckAt: 7,
      truncated: false,
    });
  });

  test.each<[string, Write]>([
    ['a credential of ours is renewed', update('CredentialDue')],
    ['a changed key makes a new credential', update('SourceChanged')],
    ['labels that people ask for are written', update('LabelsChanged')],
    ['a changed list of registries is written', update('RegistriesChanged')],
    ['a reference that is no longer wanted goes', patch([], ['x'])],
    [
      'a Secret of ours bears the definition of its resource',
      { kind: 'mark-secret', ...at, definition: 'u-2', reason: 'DefinitionChanged' },
    ],
    ['a Secret of ours that is no longer wanted goes', { kind: 'delete-secret', ...at, reason: 'SecretUnwanted' }],
  ])('%s', (_name, write) => {
    const plan = planOf(write);
    expect(standDown(plan)).toBe(plan);
  });
});
