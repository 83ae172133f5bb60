// The vendor's samples with mistakes in them, many of them: the same ones in every run.
import { expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/core/config.ts';
import { parseManifests } from '../../../src/core/manifests.ts';
import { renderOwnForm } from '../../../src/core/own-form.ts';
import { fuzzConfiguration } from '../../support/fuzz-configuration.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';
import { RECORDING_CONTEXT } from '../../support/recorded-items.ts';
import {
  FAKE_KEY_ID,
  FAKE_KEY_SECRET,
  FULL_SAMPLE,
  GUIDE_MANIFESTS,
  MANAGED_DOCUMENT,
} from '../../support/vendor-samples.ts';

test('[acr G3] 5,000 configurations with mistakes: no throw, no secret, bounded, and never half-read', () => {
  const { accepted, refused, corrected } = fuzzConfiguration(5_000, 1);
  expect(accepted + refused).toBe(5_000);
  // Otherwise it would show nothing.
  for (const met of [accepted, refused, corrected]) expect(met).toBeGreaterThan(100);
});

test('[acr G3] 3,000 files with mistakes: no throw, no secret, and what is printed can be read again', () => {
  const list = `- instanceId: cri-a\n  regionId: cn-hangzhou\n  customAccessKey: ${FAKE_KEY_ID}\n  customAccessKeySecret: ${FAKE_KEY_SECRET}\n`;
  const files = [
    ...Object.values(GUIDE_MANIFESTS),
    JSON.stringify(MANAGED_DOCUMENT),
    JSON.stringify(
      { kind: 'ConfigMap', metadata: { name: 'a' }, data: { ...FULL_SAMPLE, 'acr-registry-info': list } },
      undefined,
      1,
    ),
    `kind: ConfigMap\nmetadata:\n  name: a\ndata:\n  acr-registry-info: |\n    ${list.replaceAll('\n', '\n    ')}\n`,
  ];
  const random = seededRandom(2);
  let printed = 0;
  for (let run = 0; run < 3_000; run += 1) {
    const text = mutate(files[run % files.length] ?? '', random, files);
    const parsed = parseManifests(text);
    let told = JSON.stringify(parsed.issues);
    for (const { data } of parsed.ok ? parsed.value : []) {
      const config = parseConfig(data, RECORDING_CONTEXT);
      if (!config.ok) continue;
      const place = { namespace: 'n', name: 'm' };
      const manifest = renderOwnForm({ written: data, config: config.value, place, namespace: 'n' });
      expect(parseManifests(manifest)).toMatchObject({ ok: true, issues: [] });
      told += manifest;
      printed += 1;
    }
    for (const secret of [FAKE_KEY_ID, FAKE_KEY_SECRET]) expect([text, told.includes(secret)]).toEqual([text, false]);
  }
  expect(printed).toBeGreaterThan(300);
});
