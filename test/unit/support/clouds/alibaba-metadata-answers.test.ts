import { describe, expect, test } from '@jest/globals';
import type {
  MetadataMode,
  MetadataSettings,
  MetadataWorld,
} from '../../../support/clouds/alibaba-metadata-answers.ts';
import { answerMetadata } from '../../../support/clouds/alibaba-metadata-answers.ts';
import type { Role } from '../../../support/clouds/alibaba-state.ts';
import { buildAlibabaState } from '../../../support/clouds/alibaba-state.ts';
import type { Answer } from '../../../support/clouds/api-error.ts';
import { SAMPLE } from '../../../support/clouds/sample.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const TTL = 'x-aliyun-ecs-metadata-token-ttl-seconds';
const TOKEN = 'x-aliyun-ecs-metadata-token';
const ROLES = 'ram/security-credentials/';

describe('each mode', () => {
  test.each<[MetadataMode, object]>([
    ['normal', { put: 200, withToken: 200, withoutToken: 200, wrongToken: 403, roles: 200 }],
    ['v1-only', { put: 404, withToken: 200, withoutToken: 200, wrongToken: 200, roles: 200 }],
    ['hardened', { put: 200, withToken: 200, withoutToken: 403, wrongToken: 403, roles: 200 }],
    ['no-role', { put: 200, withToken: 200, withoutToken: 200, wrongToken: 403, roles: 404 }],
    ['limited', { put: 429, withToken: 429, withoutToken: 429, wrongToken: 429, roles: 429 }],
  ])('%s', (mode, statuses) => {
    const world = worldOf();
    const token = put(world).body;
    const limited = { ...world, settings: { ...world.settings, mode } };
    expect({
      put: put(limited).status,
      withToken: get(limited, 'region-id', { [TOKEN]: token }).status,
      withoutToken: get(limited, 'region-id').status,
      wrongToken: get(limited, 'region-id', { [TOKEN]: 'wrong' }).status,
      roles: get(limited, ROLES, { [TOKEN]: token }).status,
    }).toEqual(statuses);
  });
});

describe('a token', () => {
  test.each([
    ['1', 200],
    ['21600', 200],
    ['0', 400],
    ['21601', 400],
    ['-1', 400],
    ['1.5', 400],
    ['', 400],
  ])('may be asked for %s seconds: %i', (ttl, status) => {
    expect(put(worldOf(), { [TTL]: ttl }).status).toBe(status);
  });

  test('is not given without a time to live, nor to another method', () => {
    expect(put(worldOf(), {}).status).toBe(400);
    expect(answerMetadata(request('GET', '/latest/api/token', { [TTL]: '60' }), worldOf()).status).toBe(405);
  });

  test('is good until its end', () => {
    const world = worldOf({ mode: 'hardened' });
    const token = put(world, { [TTL]: '60' }).body;
    const at = (later: number) => get({ ...world, now: NOW + later }, 'region-id', { [TOKEN]: token }).status;
    expect([at(59_999), at(60_000)]).toEqual([200, 403]);
  });
});

describe('the instance', () => {
  test.each([
    ['region-id', 200, 'cn-hangzhou'],
    ['owner-account-id', 200, '1000000000000001'],
    ['instance-id', 200, 'i-sample00000000001'],
    [ROLES, 200, 'kubernetesworkerrole-sample'],
    ['ram/security-credentials', 404, undefined],
    [`${ROLES}other`, 404, undefined],
    ['zone-id', 404, undefined],
  ])('has %s: %i', (item, status, body) => {
    const answer = get(worldOf(), item);
    expect(answer.status).toBe(status);
    if (body !== undefined) expect(answer.body).toBe(body);
  });

  test.each(['forwarded', 'x-forwarded-for', 'via'])('refuses what came through a proxy: %s', (header) => {
    expect(get(worldOf(), 'region-id', { [header]: '10.0.0.1' }).status).toBe(403);
    expect(put(worldOf(), { [TTL]: '60', [header]: '10.0.0.1' }).status).toBe(403);
  });

  test('is only read', () => {
    expect(answerMetadata(request('POST', '/latest/meta-data/region-id'), worldOf()).status).toBe(405);
    expect(answerMetadata(request('GET', '/'), worldOf()).status).toBe(404);
  });
});

describe('the credentials of the role', () => {
  test('are a session that the cloud knows, the same for everyone', () => {
    const world = worldOf();
    const document = credentials(world);
    expect(document).toMatchObject({
      ...{ Code: 'Success', LastUpdated: '2026-01-02T03:04:05Z', Expiration: '2026-01-02T09:04:05Z' },
    });
    expect(world.state.accessKeys.get(document.AccessKeyId ?? '')).toMatchObject({
      ...{ roleArn: SAMPLE.workerRole.arn, accessKeySecret: document.AccessKeySecret },
      securityToken: document.SecurityToken,
    });
    expect(credentials(world)).toEqual(document);
  });

  test.each<[string, Partial<MetadataSettings>, number]>([
    ['half an hour before their end', {}, 21_600_000 - 1_800_000],
    ['when told', { renewBeforeEndMs: 60_000 }, 21_600_000 - 60_000],
    ['at half of a short life', { sessionSeconds: 20 }, 10_000],
  ])('are renewed %s', (_name, settings, later) => {
    const world = worldOf(settings);
    const first = credentials(world).AccessKeyId;
    expect(credentials({ ...world, now: NOW + later - 1 }).AccessKeyId).toBe(first);
    const next = credentials({ ...world, now: NOW + later }).AccessKeyId;
    expect(next).not.toBe(first);
    expect([first, next].map((id) => world.state.accessKeys.has(id ?? ''))).toEqual([true, true]);
  });

  test.each<[string, readonly Role[]]>([
    ['does not exist', []],
    ['does not trust instances', [{ ...SAMPLE.workerRole, trust: [{ service: 'cs.aliyuncs.com' }] }]],
  ])('are not successful when the role %s', (_name, roles) => {
    const document = credentials({ ...worldOf(), state: buildAlibabaState({ roles }) });
    expect(document.Code).toBe('Failed');
    expect(document.AccessKeyId).toBeUndefined();
  });
});

function worldOf(settings: Partial<MetadataSettings> = {}): MetadataWorld {
  return {
    state: buildAlibabaState({ roles: [SAMPLE.workerRole] }),
    settings: { ...SAMPLE.metadata, ...settings },
    memory: { tokens: new Map(), session: undefined },
    now: NOW,
  };
}

function put(world: MetadataWorld, headers: Readonly<Record<string, string>> = { [TTL]: '21600' }): Answer {
  return answerMetadata(request('PUT', '/latest/api/token', headers), world);
}

function get(world: MetadataWorld, item: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return answerMetadata(request('GET', `/latest/meta-data/${item}`, headers), world);
}

function credentials(world: MetadataWorld): Readonly<Record<string, string | undefined>> {
  return JSON.parse(get(world, `${ROLES}kubernetesworkerrole-sample`).body) as Record<string, string>;
}

function request(method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  return { method, path, query: '', headers, body: new Uint8Array() };
}
