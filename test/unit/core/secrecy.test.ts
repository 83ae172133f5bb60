// A key that was pasted under the wrong name is not told, in whatever letters.
import { expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/core/config.ts';
import { createItemParser } from '../../../src/credentials/requests.ts';
import { createProviders } from '../../../src/providers/table.ts';
import { FAKE_KEY_ID, FAKE_KEY_SECRET } from '../../support/vendor-samples.ts';

const providers = createProviders();
const context = {
  parseItem: createItemParser(providers, { namespace: 'kube-system', secretNamespaces: [] }),
  providers: [...providers.keys()],
  namespace: 'kube-system',
};

const PLACES = ['region', 'adopt-existing', 'tokenMode', 'expiring-threshold', 'rrsa-service-account', 'notify-email'];

test.each([FAKE_KEY_ID, FAKE_KEY_SECRET].flatMap((key) => PLACES.map((place) => [place, key] as const)))(
  'under %s (%s)',
  (place, key) => {
    const { issues } = parseConfig({ 'acr-registry-info': '- instanceId: cri-a', [place]: key }, context);
    expect(JSON.stringify(issues).toLowerCase()).not.toContain(key.toLowerCase());
  },
);

test.each(['instanceId', 'regionId', 'tokenMode', 'assumeRoleARN', 'expireDuration', 'secret-name'])(
  'in the field %s of an item',
  (field) => {
    const text = JSON.stringify([{ instanceId: 'cri-a', regionId: 'cn-hangzhou', [field]: FAKE_KEY_SECRET }]);
    const { issues } = parseConfig({ 'acr-registry-info': text }, context);
    expect(issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(issues).toLowerCase()).not.toContain(FAKE_KEY_SECRET.toLowerCase());
  },
);
