// Provider `acr` against the simulated cloud over real TLS: it signs one host while connecting to another, and every way to
// fail gets its reason and a sentence that helps.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ProviderError, type FailureReason } from '../../src/core/errors.ts';
import type { Credential } from '../../src/core/types.ts';
import { createAcrProvider, createAcrServices } from '../../src/providers/alibaba/acr.ts';
import type { CloudEndpoints, ServiceEndpoint } from '../../src/providers/provider.ts';
import { SAMPLE, startClouds, type Clouds } from '../support/clouds/clouds.ts';
import type { Fault } from '../support/clouds/faults.ts';
import { attemptCredential, endpointOf } from './providers-acr-attempt.ts';

const { instanceId } = SAMPLE.instance;
const { accessKeyId, accessKeySecret } = SAMPLE.accessKey;
const TIMEOUT_MS = 3_000;
let provider: ReturnType<typeof createAcrProvider>;
let clouds: Clouds;
let endpoints: CloudEndpoints;

beforeAll(async () => {
  clouds = await startClouds();
  endpoints = { alibaba: { cr: await endpointOf(clouds) } };
});
afterAll(() => clouds.stop());
beforeEach(() => {
  // Of its own for each case: a cloud that asked to slow down makes the next call wait.
  provider = createAcrProvider(createAcrServices({ timeoutMs: TIMEOUT_MS }));
  clouds.cr.clearCalls();
  clouds.state.accessKeys.set(accessKeyId, SAMPLE.accessKey);
  clouds.state.instances.set(instanceId, SAMPLE.instance);
});
afterEach(async () => {
  clouds.cr.faults.clear();
  clouds.setClockOffset(0);
  await clouds.cr.up();
});

describe('a credential', () => {
  test('[acr D1] is the cloud’s token, with its expiry and every domain of the instance', async () => {
    clouds.state.instances.set(instanceId, { ...SAMPLE.instance, userDomains: ['images.acme.example'] });
    const before = Date.now();
    const credential = await fetchCredential();
    const [minted] = [...clouds.state.tokens.values()].slice(-1);
    expect(credential).toMatchObject({
      username: 'cr_temp_user',
      password: minted?.token,
      expiresAt: minted?.expiresAt,
      hosts: [
        'acme-registry.cn-hangzhou.cr.aliyuncs.com',
        'images.acme.example',
        'acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com',
      ],
    });
    expect(credential.issuedAt).toBeGreaterThanOrEqual(before);
    expect(
      clouds.cr
        .calls()
        .map(({ action, region, code }) => `${action} ${region} ${code}`)
        .sort(),
    ).toEqual(['GetAuthorizationToken cn-hangzhou success', 'ListInstanceEndpoint cn-hangzhou success']);
  });

  test('[acr D1] has no domains of endpoints that are disabled', async () => {
    clouds.state.instances.set(instanceId, { ...SAMPLE.instance, internetEnabled: false });
    expect((await fetchCredential()).hosts).toEqual(['acme-registry-vpc.cn-hangzhou.cr.aliyuncs.com']);
  });

  test('[acr D3] is served for named domains without the right to list', async () => {
    clouds.state.accessKeys.set(accessKeyId, { ...SAMPLE.accessKey, denied: { ListInstanceEndpoint: 'NoPermission' } });
    const credential = await fetchCredential({ domains: 'images.acme.example' });
    expect(credential.warnings).toEqual([expect.stringContaining('cr:ListInstanceEndpoint')]);
  });

  test('comes over twenty calls at a time', async () => {
    const credentials = await Promise.all(Array.from({ length: 20 }, () => fetchCredential()));
    expect(new Set(credentials.map(({ password }) => password)).size).toBe(20);
    expect(clouds.cr.calls()).toHaveLength(40);
  });

  test('comes from a slow body as long as it is whole in time', async () => {
    clouds.cr.faults.add({ fault: { kind: 'slow-body', chunkBytes: 60, chunkDelayMs: 10 }, times: 2 });
    expect((await fetchCredential()).username).toBe('cr_temp_user');
  });
});

describe('the endpoint', () => {
  test('may be the address itself, without another host to sign', async () => {
    const { url, ca } = await endpointOf(clouds);
    endpoints = { alibaba: { cr: { url, ca } as ServiceEndpoint } };
    expect((await fetchCredential()).username).toBe('cr_temp_user');
    endpoints = { alibaba: { cr: await endpointOf(clouds) } };
  });

  test('is asked in its region: an instance of another one is unknown there', async () => {
    const error = await failure({ regionId: 'cn-beijing' });
    expect(error).toMatchObject({ reason: 'InstanceNotFound', message: expect.stringContaining('cn-beijing') });
  });

  test('is not trusted when its certificate is of an authority that was not named', async () => {
    const { url, host } = await endpointOf(clouds);
    endpoints = { alibaba: { cr: { url, host } as ServiceEndpoint } };
    const error = await failure();
    endpoints = { alibaba: { cr: await endpointOf(clouds) } };
    expect(error).toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringMatching(/\([A-Z_]*(SELF_SIGNED|VERIFY|ISSUER)[A-Z_]*\)/),
    });
    expect(clouds.cr.calls()).toEqual([]);
  });

  test('is not trusted when its certificate is for another host', async () => {
    endpoints = { alibaba: { cr: { ...(await endpointOf(clouds)), host: 'sts.aliyuncs.com' } } };
    const error = await failure();
    endpoints = { alibaba: { cr: await endpointOf(clouds) } };
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('may be plain HTTP', async () => {
    const plain = await startClouds({ scheme: 'http' });
    try {
      endpoints = { alibaba: { cr: await endpointOf(plain) } };
      expect((await fetchCredential()).username).toBe('cr_temp_user');
    } finally {
      endpoints = { alibaba: { cr: await endpointOf(clouds) } };
      await plain.stop();
    }
  });
});

describe('a refusal', () => {
  test.each<[string, Partial<Record<'access-key-id' | 'access-key-secret', string>>, FailureReason, string]>([
    ['an unknown key', { 'access-key-id': 'LTAIunknownfake' }, 'AccessKeyInvalid', 'InvalidAccessKeyId.NotFound'],
    ['a wrong secret', { 'access-key-secret': 'fake-wrong-secret' }, 'SignatureMismatch', 'SignatureDoesNotMatch'],
  ])('with %s', async (_name, change, reason, code) => {
    const error = await failure({}, change);
    expect(error).toMatchObject({ reason, message: expect.stringContaining(code) });
    expectHelpful(error);
    expect(error.message).toContain('the Secret kube-system/sample-key');
  });

  test.each([200, 404] as const)('of an unknown instance, told with HTTP %d', async (status) => {
    clouds.state.unknownInstanceStatus = status;
    clouds.state.instances.clear();
    const error = await failure();
    clouds.state.unknownInstanceStatus = 200;
    expect(error).toMatchObject({ reason: 'InstanceNotFound' });
    expectHelpful(error);
  });

  test('of an instance that does not run', async () => {
    clouds.state.instances.set(instanceId, { ...SAMPLE.instance, status: 'STOPPED' });
    expect(await failure()).toMatchObject({ reason: 'InstanceNotReady' });
  });

  test.each(['NoPermission', 'Forbidden.RAM'] as const)(
    'of the token with %s names the missing action',
    async (code) => {
      clouds.state.accessKeys.set(accessKeyId, { ...SAMPLE.accessKey, denied: { GetAuthorizationToken: code } });
      const error = await failure();
      expect(error).toMatchObject({
        reason: 'PermissionDenied',
        message: expect.stringContaining('cr:GetAuthorizationToken'),
      });
      expectHelpful(error);
    },
  );

  test('[acr D3] [acr I8] of the listing names the missing action and the way around it', async () => {
    clouds.state.accessKeys.set(accessKeyId, { ...SAMPLE.accessKey, denied: { ListInstanceEndpoint: 'NoPermission' } });
    const error = await failure();
    expect(error).toMatchObject({
      reason: 'PermissionDenied',
      message: expect.stringMatching(/cr:ListInstanceEndpoint.*name the `domains`/),
    });
    expect(error.requestId).toMatch(/^[0-9A-F-]{36}$/);
  });

  test('[acr X5] because of the clock says by how much it is off', async () => {
    clouds.setClockOffset(20 * 60_000);
    expect(await failure()).toMatchObject({
      reason: 'ClockSkew',
      message: expect.stringContaining('is 20 min behind'),
    });
  });

  test('because of too many calls says how long to wait', async () => {
    clouds.cr.faults.add({ fault: { kind: 'throttle', retryAfter: 2_000 } });
    const error = await failure();
    expect(error).toMatchObject({ reason: 'Throttled', retryAfterMs: 2_000 });
    expectHelpful(error);
  });
});

describe('[acr X3] an accident', () => {
  test.each<[Fault, string]>([
    [{ kind: 'unavailable' }, 'ServiceUnavailable'],
    [{ kind: 'xml' }, 'ServiceUnavailable'],
    [{ kind: 'html' }, 'not JSON (HTTP 502)'],
    [{ kind: 'truncated' }, 'not JSON (HTTP 200)'],
    [{ kind: 'empty' }, 'an empty answer (HTTP 200)'],
    [{ kind: 'reset' }, 'could not be reached (ECONNRESET)'],
    [{ kind: 'slow', delayMs: 30_000 }, 'did not answer within 3 s'],
    [{ kind: 'slow-body', chunkBytes: 1, chunkDelayMs: 100 }, 'did not answer within 3 s'],
  ])('%j is CloudUnavailable and passes', async (fault, text) => {
    clouds.cr.faults.add({ fault });
    const startedAt = Date.now();
    const error = await failure();
    expect(Date.now() - startedAt).toBeLessThan(2 * TIMEOUT_MS);
    expect(error).toMatchObject({ reason: 'CloudUnavailable', message: expect.stringContaining(text) });
    expect(error.message).toContain(`GetAuthorizationToken of ${instanceId} in cn-hangzhou`);
    clouds.cr.faults.clear();
    expect((await fetchCredential()).username).toBe('cr_temp_user');
  });

  test('a cloud that is down refuses connections', async () => {
    await clouds.cr.down();
    expect(await failure()).toMatchObject({
      reason: 'CloudUnavailable',
      message: expect.stringContaining('could not be reached (ECONNREFUSED)'),
    });
  });

  test('an aborted attempt ends at once', async () => {
    clouds.cr.faults.add({ fault: { kind: 'slow', delayMs: 30_000 } });
    const abort = new AbortController();
    const startedAt = Date.now();
    setTimeout(() => abort.abort(), 50);
    expect(await failure({}, {}, abort.signal)).toMatchObject({ message: expect.stringContaining('was given up') });
    expect(Date.now() - startedAt).toBeLessThan(TIMEOUT_MS);
  });
});

/** A sentence to act on: what was asked, where, the cloud's id of it, and nothing secret. */
function expectHelpful(error: ProviderError): void {
  expect(error.requestId).toMatch(/^[0-9A-F-]{36}$/);
  for (const text of ['GetAuthorizationToken', instanceId, 'cn-hangzhou', error.requestId ?? '?']) {
    expect(error.message).toContain(text);
  }
}

async function failure(
  item: Readonly<Record<string, unknown>> = {},
  key: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<ProviderError> {
  try {
    await fetchCredential(item, key, signal);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    for (const secret of [accessKeySecret, ...Object.values(key), 'Signature='])
      expect(error.message).not.toContain(secret);
    expect(error.message).not.toMatch(/\?|InstanceId=/);
    return error;
  }
  throw new Error('did not fail');
}

function fetchCredential(
  item?: Readonly<Record<string, unknown>>,
  key?: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Credential> {
  return attemptCredential({ provider, endpoints, item, key, signal });
}
