// The finder of leaked secrets must find them: a blind one would make the secrecy test say yes to everything.
import { describe, expect, test } from '@jest/globals';
import { findLeaks } from '../../support/leaks.ts';

const SECRET = 'mark"back\\slash%per+plus/slash=equals é space-7Q';
const secrets = { password: SECRET };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a leaked secret is found', () => {
  test.each([
    ['as it is', `login failed for ${SECRET}!`],
    ['in JSON', JSON.stringify({ password: SECRET })],
    ['in JSON within JSON', JSON.stringify({ body: JSON.stringify({ password: SECRET }) })],
    ['in a URL', `https://cloud.example/?key=${encodeURIComponent(SECRET)}&x=1`],
    ['in a form', new URLSearchParams({ key: SECRET }).toString()],
    ['in base64 alone', base64(SECRET)],
    ['in base64 of user name and password', base64(`cr_temp_user:${SECRET}`)],
    ['in base64 within longer text', base64(`{"auths":{"registry.example":{"password":"x${SECRET}"}}}`)],
    ['in base64 of URLs', Buffer.from(`u:${SECRET}`).toString('base64url')],
    ['in base64 of JSON', base64(JSON.stringify({ auths: { host: { password: SECRET } } }))],
    ['in base64 of base64', base64(JSON.stringify({ auths: { host: { auth: base64(`user:${SECRET}`) } } }))],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['cut off', `value: ${SECRET.slice(0, 20)}…`],
    ['without its beginning', `…${SECRET.slice(9)}`],
  ])('%s', (_name, text) => {
    expect(findLeaks(`before ${text} after`, secrets)).not.toEqual([]);
  });

  test('and named, with the form and what stands around it', () => {
    const [leak] = findLeaks(`the password is ${SECRET}`, secrets);
    expect(leak).toMatchObject({ secret: 'password', form: 'raw' });
    expect(leak?.excerpt).toContain('the password is mark');
  });
});

test('nothing is found where nothing is', () => {
  const text = JSON.stringify({ digest: 'sha256:00', username: 'cr_temp_user', note: 'mark, back, slash, per, plus' });
  expect(findLeaks(`${text} ${base64(text)}`, secrets)).toEqual([]);
});
