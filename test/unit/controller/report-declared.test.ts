// What is told of declared resources that are left alone.
import { expect, test } from '@jest/globals';
import { createDeclarationReport } from '../../../src/controller/report-declared.ts';
import type { Skip } from '../../../src/core/plan-types.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';

test('a gauge says how many declared resources are left alone at this moment', async () => {
  const metrics = createMetrics({ version: '1' });
  const ignore = (): void => undefined;
  const report = createDeclarationReport({
    logger: { error: ignore, warn: ignore, info: ignore, debug: ignore },
    metrics,
    events: { record: ignore },
    secret: { namespace: 'kube-system', name: 'resources' },
  });
  const taken = (name: string): Skip => ({ reason: 'NameTaken', name, message: '' });
  const gauge = async () => (await metrics.render()).text.match(/^\w+_left_alone\{.*$/gm) ?? [];
  metrics.leading(true);
  report.onDeclarationSkips([taken('a'), taken('b'), { reason: 'Contended', name: 'c', message: '' }]);
  const P = 'registry_credential_helper_left_alone';
  expect(await gauge()).toEqual([`${P}{reason="NameTaken"} 2`, `${P}{reason="Contended"} 1`]);
  report.onDeclarationSkips([]);
  expect(await gauge()).toEqual([]);
});
