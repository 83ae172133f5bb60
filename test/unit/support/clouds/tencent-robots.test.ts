import { describe, expect, test } from '@jest/globals';
import { askTcr, codeOf, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';
import { authorizeTencent } from '../../../support/clouds/tencent-registries.ts';
import type { TencentState } from '../../../support/clouds/tencent-state.ts';

const DAY_MS = 86_400_000;
const HOST = 'acme-sample.tencentcloudcr.com';
const PULL = ['tcr:PullRepository', 'tcr:DescribeHelmCharts'];
const WANTED = { RegistryId, Name: 'cls-sample01', Permissions: [{ Resource: 'team', Actions: PULL }], Duration: 1 };

describe('a robot', () => {
  test('is told its password once, and what it may', () => {
    const state = sampleState();
    const { Password: password, ...rest } = askTcr(state, 'CreateServiceAccount', WANTED);
    expect(rest).toMatchObject({
      ...{ Name: 'tcr$cls-sample01', ExpiresAt: NOW + DAY_MS, CreateTime: '2026-01-01T08:00:00+08:00' },
    });
    expect(password).toMatch(/^[\w-]{32}$/);
    const listed = askTcr(state, 'DescribeServiceAccounts', { RegistryId, EmbedPermission: true });
    expect(listed).toMatchObject({
      TotalCount: 1,
      ServiceAccounts: [
        {
          ...{ Name: 'tcr$cls-sample01', Disable: false, ExpiresAt: NOW + DAY_MS },
          Permissions: [{ Resource: 'team', Actions: PULL }],
        },
      ],
    });
    expect(JSON.stringify(listed)).not.toContain(String(password));
  });

  test('pulls until its end, and not while it is disabled, nor after it is deleted', () => {
    const state = sampleState();
    const { Password: password } = askTcr(state, 'CreateServiceAccount', WANTED);
    expect(pullsOf(state, password)).toEqual(['team/app']);
    expect([pullsOf(state, password, DAY_MS - 1), pullsOf(state, password, DAY_MS)]).toEqual([['team/app'], 401]);
    askTcr(state, 'ModifyServiceAccount', { RegistryId, Name: 'tcr$cls-sample01', Disable: true });
    expect(pullsOf(state, password)).toBe(401);
    askTcr(state, 'ModifyServiceAccount', { RegistryId, Name: 'cls-sample01', Disable: false, Duration: 2 });
    expect(pullsOf(state, password, DAY_MS)).toEqual(['team/app']);
    askTcr(state, 'DeleteServiceAccount', { RegistryId, Name: 'tcr$cls-sample01' });
    expect(pullsOf(state, password)).toBe(401);
  });

  test('loses its old password at once with a new one', () => {
    const state = sampleState();
    const { Password: first } = askTcr(state, 'CreateServiceAccount', WANTED);
    const renew = (parameters: object) => {
      return askTcr(state, 'ModifyServiceAccountPassword', { RegistryId, Name: 'tcr$cls-sample01', ...parameters });
    };
    const { Password: second } = renew({ Random: true });
    expect([pullsOf(state, first), pullsOf(state, second)]).toEqual([401, ['team/app']]);
    expect(renew({ Random: false, Password: 'Sample-Password1' })).toMatchObject({ Password: 'Sample-Password1' });
    expect([pullsOf(state, second), pullsOf(state, 'Sample-Password1')]).toEqual([401, ['team/app']]);
    for (const Password of ['Short1a', 'X'.repeat(21), 'nouppercase1', 'NOLOWERCASE1', 'NoDigitsHere', undefined]) {
      expect(codeOf(renew({ Random: false, Password }))).toBe('InvalidParameter');
    }
    expect(codeOf(renew({}))).toBe('MissingParameter');
  });

  test('without a time does not expire, and the days win over the instant', () => {
    const state = sampleState();
    const create = (Name: string, change: object) =>
      askTcr(state, 'CreateServiceAccount', { ...WANTED, Duration: undefined, Name, ...change }).ExpiresAt;
    expect(create('one', {})).toBe(-1);
    expect(create('two', { ExpiresAt: NOW + 5_000 })).toBe(NOW + 5_000);
    expect(create('three', { ExpiresAt: NOW + 5_000, Duration: 2 })).toBe(NOW + 2 * DAY_MS);
  });

  test.each<[string, object, string]>([
    ['a name with its prefix', { Name: 'tcr$x' }, 'InvalidParameter'],
    ['a name in capitals', { Name: 'Robot' }, 'InvalidParameter'],
    ['no permissions', { Permissions: [] }, 'InvalidParameter'],
    ['no permissions at all', { Permissions: undefined }, 'MissingParameter'],
    ['a repository in the place of a namespace', permission({ Resource: 'team/app' }), 'InvalidParameter'],
    ['every namespace', permission({ Resource: '*' }), 'InvalidParameter'],
    ['an action beyond the five', permission({ Actions: [...PULL, 'tcr:DeleteRepository'] }), 'InvalidParameter'],
    ['every action', permission({ Actions: ['*'] }), 'InvalidParameter'],
    ['no action', permission({ Actions: [] }), 'InvalidParameter'],
    ['an effect', permission({ Effect: 'allow' }), 'UnknownParameter'],
    ['an end that is over', { Duration: undefined, ExpiresAt: NOW }, 'InvalidParameter'],
    ['an end in seconds', { Duration: undefined, ExpiresAt: NOW / 1000 + 3600 }, 'InvalidParameter'],
    ['no day', { Duration: 0 }, 'InvalidParameter'],
    ['another instance', { RegistryId: 'tcr-none0001' }, 'ResourceNotFound.TcrResourceNotFound'],
  ])('is not made with %s', (_name, change, code) => {
    const state = sampleState();
    expect(codeOf(askTcr(state, 'CreateServiceAccount', { ...WANTED, ...change }))).toBe(code);
    expect(state.robots.size).toBe(0);
  });

  test('is not made twice, nor beyond the quota', () => {
    const state = sampleState();
    const instance = state.instances.get(RegistryId);
    if (instance !== undefined) state.instances.set(RegistryId, { ...instance, robotQuota: 2 });
    const create = (Name: string) => codeOf(askTcr(state, 'CreateServiceAccount', { ...WANTED, Name }));
    expect(['one', 'one', 'two', 'three'].map(create)).toEqual([
      ...[undefined, 'OperationDenied', undefined, 'OperationDenied.QuotaOverLimit'],
    ]);
  });

  test('that is not there is neither changed nor deleted', () => {
    const change = (action: string, more = {}) =>
      codeOf(askTcr(sampleState(), action, { RegistryId, Name: 'tcr$none', ...more }));
    expect([
      ...[change('ModifyServiceAccount', { Disable: true }), change('DeleteServiceAccount')],
      change('ModifyServiceAccountPassword', { Random: true }),
    ]).toEqual(Array(3).fill('ResourceNotFound'));
  });
});

test('the list of robots has pages, a filter by name, and all of them when asked', () => {
  const state = sampleState();
  expect(askTcr(state, 'DescribeServiceAccounts', { RegistryId })).toMatchObject({
    ServiceAccounts: null,
    TotalCount: 0,
  });
  for (let index = 0; index < 22; index += 1) {
    const asked = { ...WANTED, Name: `robot-${index}` };
    askTcr(state, 'CreateServiceAccount', asked, { now: NOW + index * 100 });
  }
  const list = (parameters: object) => {
    const answer = askTcr(state, 'DescribeServiceAccounts', { RegistryId, ...parameters }, { now: NOW + 10_000 });
    const names = (answer.ServiceAccounts as { Name: string }[] | null)?.map(({ Name }) => Name);
    return codeOf(answer) ?? [answer.TotalCount, names?.length ?? 0];
  };
  expect([list({}), list({ Offset: 20 }), list({ All: true }), list({ Limit: 101 })]).toEqual([
    ...[[22, 20], [22, 2], [22, 22], 'InvalidParameter'],
  ]);
  const byName = (Name: string, value: string) => list({ Filters: [{ Name, Values: [value] }] });
  expect([byName('ServiceAccountName', 'robot-3'), byName('ServiceAccountName', 'tcr$robot-3')]).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(byName('Name', 'robot-3')).toBe('InvalidParameter');
});

function permission(change: object): object {
  return { Permissions: [{ Resource: 'team', Actions: PULL, ...change }] };
}

/** Which of two repositories the robot may pull from; 401 when it is refused. */
function pullsOf(state: TencentState, password: unknown, later = 0): readonly string[] | 401 {
  const request = {
    ...{ registry: HOST, service: 'harbor-registry', username: 'tcr$cls-sample01', password: String(password) },
    scopes: ['repository:team/app:pull,push', 'repository:teams/app:pull'],
  };
  const grant = authorizeTencent(request, { state, now: NOW + later });
  return (
    grant?.access.map(({ name, actions }) => (actions.join() === 'pull' ? name : `${name}: ${actions.join()}`)) ?? 401
  );
}
