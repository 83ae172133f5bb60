import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { followAuditLog, parseAuditLine } from '../../../support/control-plane/audit-log.ts';

const LINE = JSON.stringify({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  stage: 'ResponseComplete',
  requestURI: '/api/v1/namespaces/a/serviceaccounts/default/token?pretty=false',
  verb: 'create',
  user: { username: 'helper', groups: ['system:authenticated'] },
  userAgent: 'test/1',
  objectRef: { resource: 'serviceaccounts', namespace: 'a', name: 'default', subresource: 'token', apiVersion: 'v1' },
  responseStatus: { metadata: {}, code: 201 },
  requestReceivedTimestamp: '2026-01-02T03:04:05.678901Z',
});

describe('a line of the audit log', () => {
  test('becomes an event with everything that tests ask about', () => {
    expect(parseAuditLine(LINE)).toEqual({
      user: 'helper',
      userAgent: 'test/1',
      verb: 'create',
      resource: 'serviceaccounts',
      subresource: 'token',
      namespace: 'a',
      name: 'default',
      requestURI: '/api/v1/namespaces/a/serviceaccounts/default/token?pretty=false',
      code: 201,
      at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    });
  });

  test('may lack an object and a status', () => {
    const event = parseAuditLine(JSON.stringify({ kind: 'Event', verb: 'get', requestURI: '/version' }));
    expect(event).toMatchObject({ user: '', verb: 'get', resource: undefined, namespace: undefined, code: undefined });
  });

  test('may be empty', () => {
    expect(parseAuditLine('')).toBeUndefined();
  });

  test('is an error when it is something else', () => {
    expect(() => parseAuditLine('{"kind":"Pod"}')).toThrow('Not an audit event: {"kind":"Pod"}');
  });
});

describe('following the audit log', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'audit-test-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('reads each line once, also for several who ask at once', async () => {
    const file = path.join(folder, 'audit.log');
    const log = followAuditLog(file);
    await appendFile(file, `${LINE}\n`);
    await Promise.all([log.read(), log.read(), log.read()]);
    expect(await log.read()).toHaveLength(1);
  });

  test('reads what was added, and a line only when it is whole', async () => {
    const file = path.join(folder, 'audit.log');
    const log = followAuditLog(file);
    expect(await log.read()).toHaveLength(0);
    await appendFile(file, `${LINE}\n${LINE.slice(0, 100)}`);
    expect(await log.read()).toHaveLength(1);
    await appendFile(file, `${LINE.slice(100)}\n`);
    expect(await log.read()).toHaveLength(2);
    expect(await log.read()).toHaveLength(2);
  });
});
