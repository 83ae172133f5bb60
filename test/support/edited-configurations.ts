// A ConfigMap that is edited with mistakes again and again, through the source that the controller follows it with.
import { parseConfig } from '../../src/core/config.ts';
import type { Config } from '../../src/core/types.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { ConfigurationSource } from '../../src/kube/configuration.ts';
import { createFakeClient } from '../unit/kube/fake-client.ts';
import { eventually } from './eventually.ts';
import { mistakenConfigurations } from './fuzz-configuration.ts';
import { RECORDING_CONTEXT } from './recorded-items.ts';

type Data = Readonly<Record<string, string>>;

const GOOD: Data = { 'acr-registry-info': '- instanceId: cri-a', region: 'cn-hangzhou' };
const LAST: Data = { ...GOOD, region: 'cn-beijing' };

/** What the source said of the edits. */
export interface EditCount {
  readonly accepted: number;
  readonly refused: number;
  /** Refused edits after which another configuration, or none, was the last good one. */
  readonly lost: number;
}

/** Edits a good ConfigMap `batches` times `size` times. Throws when the source does not come to the end of a batch. */
export async function editConfiguration(batches: number, size: number, seed: number): Promise<EditCount> {
  const client = createFakeClient(() => ({ items: [objectOf(GOOD, 1)], metadata: { resourceVersion: '1' } }));
  const stop = new AbortController();
  const count = { accepted: 0, refused: 0, lost: 0 };
  let good: Config | undefined;
  const source = new ConfigurationSource({
    ...{ client, namespace: 'a', name: 'x', parse: (data: Data) => parseConfig(data, RECORDING_CONTEXT) },
    onChange: (state) => {
      if (state.status === 'valid') count.accepted += 1;
      else {
        count.refused += 1;
        if (state.good === undefined || state.good !== good) count.lost += 1;
      }
      good = state.good;
    },
    report: () => undefined,
    now: () => 0,
    random: () => 0,
  });
  const running = source.run(stop.signal);
  try {
    await eventually('it watches', () => client.watches.length === 1);
    let version = 1;
    for (let batch = 0; batch < batches; batch += 1) {
      for (const data of [GOOD, ...mistakenConfigurations(size, seed + batch), LAST]) {
        version += 1;
        client.watches[0]?.send('MODIFIED', objectOf(data, version));
      }
      await eventually(`batch ${batch} was read`, () => source.state.resourceVersion === String(version));
    }
  } finally {
    stop.abort();
    await running;
  }
  return count;
}

function objectOf(data: Data, version: number): KubeObject {
  return { metadata: { namespace: 'a', name: 'x', uid: 'u', resourceVersion: String(version) }, data };
}
