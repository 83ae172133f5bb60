// How often `self-test` logs in: what was answered is not asked again.
import { expect, test } from '@jest/globals';
import { createLoginTrial, type LoginScene } from '../../../src/cmd/self-test-logins.ts';
import type { SeenLogin } from '../../../src/core/self-test.ts';
import type { Credential } from '../../../src/core/types.ts';
import { buildCredential, buildRequest, buildRule } from '../../support/builders.ts';

const config: LoginScene['config'] = {
  rules: [
    buildRule({ requests: [buildRequest('a', ['one.example', 'two.example']), buildRequest('b', ['three.example'])] }),
  ],
};
const FIRST = buildCredential({ username: 'first' });

/** Trials against hosts that answer as told; `asked` are the logins that were made. */
function harness(answers: Readonly<Record<string, SeenLogin['outcome']>>) {
  const asked: string[] = [];
  let held: ReadonlyMap<string, Credential> = new Map([
    ['a', FIRST],
    ['b', FIRST],
  ]);
  const trial = createLoginTrial({
    config,
    readHeld: () => Promise.resolve(held),
    logIn: (address, { username }) => {
      asked.push(`${username}@${address}`);
      return Promise.resolve(answers[address] ?? { kind: 'accepted', how: 'token' });
    },
  });
  return { asked, trial, hold: (next: typeof held) => void (held = next) };
}

const failed = (why: string, mayPass: boolean) => ({ kind: 'failed', why, cure: 'mend it', mayPass }) as const;

test('a refused login and one that was accepted are answers: only what may pass is tried again', async () => {
  const { asked, trial } = harness({
    'one.example': failed('It refuses the credential (401)', false),
    'two.example': failed('It cannot be reached (ECONNREFUSED)', true),
  });
  const first = await trial();
  const second = await trial();
  expect(asked).toEqual(['first@one.example', 'first@three.example', 'first@two.example', 'first@two.example']);
  expect(first.mayPass).toBe(true);
  expect(second).toEqual(first);
  expect(second.findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual([
    'FAIL registry one.example',
    'PASS registry three.example',
    'FAIL registry two.example',
  ]);
});

test('nothing is waited for when all that fails is refused', async () => {
  const { trial } = harness({ 'one.example': failed('It refuses the credential (401)', false) });
  expect(await trial()).toMatchObject({ mayPass: false });
});

test('another credential is tried where one was refused', async () => {
  const { asked, trial, hold } = harness({ 'one.example': failed('It refuses the credential (401)', false) });
  await trial();
  hold(new Map([['a', buildCredential({ username: 'second' })]]));
  const { findings, mayPass } = await trial();
  expect(asked.slice(3)).toEqual(['second@one.example', 'second@two.example']);
  expect(findings.find(({ subject }) => subject === 'registry three.example')).toMatchObject({ level: 'FAIL' });
  // The controller may obtain it yet.
  expect(mayPass).toBe(true);
});
