import { describe, expect, test } from '@jest/globals';
import { askTcr, codeOf, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';
import type {
  TencentMetadataSettings,
  TencentMetadataWorld,
} from '../../../support/clouds/tencent-metadata-answers.ts';
import { answerTencentMetadata } from '../../../support/clouds/tencent-metadata-answers.ts';
import { readSession } from '../../../support/clouds/tencent-client.ts';
import { TENCENT_SAMPLE } from '../../../support/clouds/tencent-sample.ts';

const PATH = '/latest/meta-data/cam/security-credentials/';
const ROLE = `${PATH}cvm-sample`;

test('the role’s session is one that the cloud knows, and the same for everyone', () => {
  const world = worldOf();
  expect(get(world, PATH)).toMatchObject({ status: 200, body: 'cvm-sample' });
  const document = read(world);
  expect(document).toMatchObject({
    ...{ Code: 'Success', ExpiredTime: NOW / 1000 + 21_600, Expiration: '2026-01-01T06:00:00Z' },
  });
  expect(read(world)).toEqual(document);
  expect(
    codeOf(askTcr(world.state, 'CreateInstanceToken', { RegistryId }, { key: readSession({ Credentials: document }) })),
  ).toBeUndefined();
});

test.each<[string, Partial<TencentMetadataSettings>, number]>([
  ['half an hour before its end', {}, 21_600_000 - 1_800_000],
  ['when told', { renewBeforeEndMs: 60_000 }, 21_600_000 - 60_000],
  ['at half of a short life', { sessionSeconds: 20 }, 10_000],
])('a session is renewed %s', (_name, settings, later) => {
  const world = worldOf(settings);
  const first = read(world).TmpSecretId;
  expect(read({ ...world, now: NOW + later - 1 }).TmpSecretId).toBe(first);
  expect(read({ ...world, now: NOW + later }).TmpSecretId).not.toBe(first);
});

describe('it says', () => {
  test('404 where the instance has no role, or another', () => {
    expect(get(worldOf({ mode: 'no-role' }), PATH).status).toBe(404);
    expect(get(worldOf({ mode: 'no-role' }), ROLE).status).toBe(404);
    expect(get(worldOf(), `${PATH}other`).status).toBe(404);
    expect(get(worldOf(), '/latest/meta-data/').status).toBe(404);
    expect(get(worldOf(), PATH, 'POST').status).toBe(405);
  });

  test('a Code that is not Success when told so, or when the role is not there or not for instances', () => {
    const failed = read(worldOf({ mode: 'failed' }));
    expect(failed).toEqual({ Code: 'InternalError.GetRoleError' });
    const { otherRole } = TENCENT_SAMPLE;
    const path = `${PATH}tcr-other-sample`;
    expect(get(worldOf({ roleArn: otherRole.arn }), path).body).toBe(JSON.stringify(failed));
    const world = worldOf();
    world.state.roles.clear();
    expect(read(world)).toEqual(failed);
  });

  test('what ended already, when told so, and the cloud refuses that', () => {
    const world = worldOf({ mode: 'expired' });
    const document = read(world);
    expect(document).toMatchObject({ Code: 'Success', ExpiredTime: NOW / 1000 - 60 });
    expect(
      codeOf(
        askTcr(world.state, 'CreateInstanceToken', { RegistryId }, { key: readSession({ Credentials: document }) }),
      ),
    ).toBe('AuthFailure.TokenFailure');
  });
});

function worldOf(settings: Partial<TencentMetadataSettings> = {}): TencentMetadataWorld {
  return {
    ...{ state: sampleState(), settings: { ...TENCENT_SAMPLE.metadata, ...settings } },
    ...{ memory: { session: undefined }, now: NOW },
  };
}

function get(world: TencentMetadataWorld, path: string, method = 'GET') {
  return answerTencentMetadata({ method, path, query: '', headers: {}, body: new Uint8Array() }, world);
}

function read(world: TencentMetadataWorld): Readonly<Record<string, unknown>> {
  return JSON.parse(get(world, ROLE).body) as Record<string, unknown>;
}
