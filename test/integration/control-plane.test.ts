// The control plane and the registry of the tests are themselves programs that can be wrong: what the other tests rely on.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SAMPLE, startClouds } from '../support/clouds/clouds.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane/control-plane.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { startRegistry } from '../support/control-plane/registry.ts';

const START_MS = 60_000;
const NAMESPACES = '/api/v1/namespaces';

describe('a control plane', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({ audit: true, users: [{ name: 'nobody-in-particular', groups: ['some'] }] });
  }, START_MS);
  afterAll(() => plane.stop());

  test('lets admin do everything, and others what RBAC allows, and shows each call once in the audit log', async () => {
    const user = 'nobody-in-particular';
    expect((await createNamespace(plane, 'a')).status).toBe(201);
    expect((await plane.request({ user, path: `${NAMESPACES}/a/secrets` })).status).toBe(403);
    const events = await plane.auditEvents();
    expect(events.filter((event) => event.user === user)).toMatchObject([
      { verb: 'list', resource: 'secrets', namespace: 'a', code: 403, requestURI: `${NAMESPACES}/a/secrets` },
    ]);
    expect(events.filter((event) => event.user === 'admin' && event.resource === 'namespaces')).toMatchObject([
      { verb: 'create', name: 'a', code: 201 },
    ]);
  });

  test('shows a watch once, while it is open as well as afterwards', async () => {
    const watches = async () =>
      (await plane.auditEvents()).filter((event) => event.user === 'admin' && event.verb === 'watch');
    const watching = plane.request({ path: `${NAMESPACES}?watch=1&timeoutSeconds=2` });
    await eventually(async () => (await watches()).length === 1);
    expect((await watching).status).toBe(200);
    expect(await watches()).toMatchObject([{ resource: 'namespaces', code: 200 }]);
  });

  test('shows a call without a valid token', async () => {
    const { default: https } = await import('node:https');
    const path = `${NAMESPACES}/a/configmaps`;
    const call = https.get(`${plane.url}${path}`, {
      ca: plane.ca,
      agent: false,
      headers: { authorization: 'Bearer x' },
    });
    const [answer] = (await once(call, 'response')) as [{ statusCode: number; resume: () => void }];
    answer.resume();
    expect(answer.statusCode).toBe(401);
    expect((await plane.auditEvents()).filter((event) => event.requestURI === path)).toMatchObject([{ code: 401 }]);
  });

  test('keeps its data and its address over a restart of the API server', async () => {
    await createNamespace(plane, 'kept');
    await plane.stopApiServer();
    await expect(plane.request({ path: `${NAMESPACES}/kept` })).rejects.toThrow();
    await plane.startApiServer();
    expect((await plane.request({ path: `${NAMESPACES}/kept` })).status).toBe(200);
  }, 30_000);

  test('does not answer while it is paused', async () => {
    plane.pauseApiServer();
    const answer = plane.request({ path: '/version' }).then(({ status }) => status);
    expect(await Promise.race([answer, delay(500, 'silent')])).toBe('silent');
    plane.resumeApiServer();
    expect(await answer).toBe(200);
  });
});

test(
  'with a controller manager new namespaces get their default ServiceAccount, and end when deleted',
  async () => {
    const plane = await startControlPlane({ controllerManager: true });
    try {
      const statusOf = async (path: string) => (await plane.request({ path })).status;
      await createNamespace(plane, 'a');
      await eventually(async () => (await statusOf(`${NAMESPACES}/a/serviceaccounts/default`)) === 200);
      await plane.request({ method: 'DELETE', path: `${NAMESPACES}/a` });
      await eventually(async () => (await statusOf(`${NAMESPACES}/a`)) === 404);
    } finally {
      await plane.stop();
    }
    await access(plane.folder).then(
      () => expect('the folder').toBe('gone'),
      () => undefined,
    );
    expect(plane.processes()).toEqual([]);
  },
  START_MS,
);

test(
  'nothing is left when the process that started it is killed',
  async () => {
    const script = `
      import { startControlPlane } from '${new URL('../support/control-plane/control-plane.ts', import.meta.url).href}';
      const plane = await startControlPlane();
      console.log(JSON.stringify({ folder: plane.folder, pids: plane.processes().map(({ pid }) => pid) }));
      await new Promise((resolve) => setTimeout(resolve, 60_000));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [told] = (await once(parent.stdout, 'data')) as [Buffer];
    const { folder, pids } = JSON.parse(told.toString()) as { folder: string; pids: number[] };
    expect(pids).toHaveLength(2);
    parent.kill('SIGKILL');
    await eventually(() => Promise.resolve(pids.every(isGone)));
    await eventually(() =>
      access(folder).then(
        () => false,
        () => true,
      ),
    );
  },
  START_MS,
);

test(
  'a start that fails says which process, and what it said',
  async () => {
    await expect(startControlPlane({ apiServerFlags: ['--no-such-flag'] })).rejects.toThrow(
      /^kube-apiserver ended with exit code 1; the end of its log:\n[^]*unknown flag: --no-such-flag/,
    );
  },
  START_MS,
);

test(
  'the registry gives images to those whom the token endpoint believes, and to nobody else',
  async () => {
    const clouds = await startClouds();
    const registry = await startRegistry({ auth: clouds.endpoints().registryAuth });
    try {
      const image = { registryUrl: registry.url, repository: 'team/app', tag: 'v1' };
      const { username, password } = SAMPLE.user;
      const pushed = await pushImage({ ...image, login: { username, password } });
      expect(pushed).toMatchObject({ ok: true });
      expect(await pullImage({ ...image, login: { username, password } })).toEqual(pushed);
      expect(await pullImage({ ...image, login: { username, password: 'wrong' } })).toMatchObject({
        ok: false,
        status: 401,
        reason: 'TokenRefused',
      });
      expect(await pullImage(image)).toMatchObject({ ok: false, status: 401 });
      const absent = { ...image, tag: 'v2', login: { username, password } };
      expect(await pullImage(absent)).toMatchObject({ ok: false, status: 404, reason: 'NotFound' });
    } finally {
      await registry.stop();
      await clouds.stop();
    }
  },
  START_MS,
);

function createNamespace(plane: ControlPlane, name: string) {
  return plane.request({ method: 'POST', path: NAMESPACES, body: { metadata: { name } } });
}

/** A zombie counts as gone: in a container nobody may reap the orphans. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('Did not come true within 20 s');
    await delay(50);
  }
}
