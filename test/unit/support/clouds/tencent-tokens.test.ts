import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { buildKeyId } from '../../../support/clouds/tencent-instance-tokens.ts';
import { createJwtSigner } from '../../../support/clouds/sign-jwt.ts';
import type { AnswerVariants } from '../../../support/clouds/tencent-state.ts';
import { DEFAULT_VARIANTS } from '../../../support/clouds/tencent-state.ts';
import { askTcr, codeOf, NOW, RegistryId, sampleState } from '../../../support/clouds/tencent-asking.ts';

describe('a token', () => {
  test('is an RS256 JWT of one hour with the claims of the contract, and nothing of it is kept', () => {
    const state = sampleState();
    const { Token, ...rest } = askTcr(state, 'CreateInstanceToken', { RegistryId });
    expect(rest).toMatchObject({ Username: '100000000011', TokenId: '', ExpTime: NOW + 3_600_123 });
    const [header, claims] = readJwt(Token);
    expect(header).toEqual({
      alg: 'RS256',
      typ: 'JWT',
      kid: expect.stringMatching(/^(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}$/),
    });
    expect(claims).toEqual({
      ...{ ownerUin: '100000000001', operatorUin: '100000000011' },
      ...{ exp: NOW / 1000 + 3600, nbf: NOW / 1000, iat: NOW / 1000 },
    });
    expect(askTcr(state, 'DescribeInstanceToken', { RegistryId })).toMatchObject({ TotalCount: 0, Tokens: null });
  });

  test('has the life that is set', () => {
    const state = sampleState();
    state.tokenLifeMs = 20_000;
    const { Token, ExpTime } = askTcr(state, 'CreateInstanceToken', { RegistryId, TokenType: 'temp' });
    expect([ExpTime, readJwt(Token)[1]?.exp]).toEqual([NOW + 20_123, NOW / 1000 + 20]);
  });

  test('of the long-term kind is listed with its description and never its text', () => {
    const state = sampleState();
    const asked = { RegistryId, TokenType: 'longterm', Desc: 'cluster cls-sample01' };
    const { Token, TokenId, ExpTime } = askTcr(state, 'CreateInstanceToken', asked);
    expect(readJwt(Token)[1]).toMatchObject({ tokenId: TokenId, exp: NOW / 1000 + 315_360_000 });
    const listed = askTcr(state, 'DescribeInstanceToken', { RegistryId });
    expect(listed).toMatchObject({
      TotalCount: 1,
      Tokens: [
        {
          ...{ Id: TokenId, Desc: 'cluster cls-sample01', RegistryId, Enabled: true },
          ...{ CreatedAt: '2026-01-01T08:00:00+08:00', ExpiredAt: ExpTime },
        },
      ],
    });
    expect(JSON.stringify([listed, [...state.tokens.values()]])).not.toContain('eyJ');
  });

  test('that was deleted is gone after a while', () => {
    const state = sampleState();
    const { TokenId } = askTcr(state, 'CreateInstanceToken', { RegistryId, TokenType: 'longterm' });
    askTcr(state, 'DeleteInstanceToken', { RegistryId, TokenId });
    const countAt = (later: number) =>
      askTcr(state, 'DescribeInstanceToken', { RegistryId }, { now: NOW + later }).TotalCount;
    expect([countAt(999), countAt(1_000)]).toEqual([1, 0]);
    const again = { now: NOW + 1_000 };
    expect(codeOf(askTcr(state, 'DeleteInstanceToken', { RegistryId, TokenId }, again))).toBe('InternalError.Unknown');
  });

  test('is modified in what the flag says', () => {
    const state = sampleState();
    const { TokenId } = askTcr(state, 'CreateInstanceToken', { RegistryId, TokenType: 'longterm', Desc: 'one' });
    const modify = (parameters: object) =>
      codeOf(askTcr(state, 'ModifyInstanceToken', { RegistryId, TokenId, ...parameters }));
    const kept = () => {
      const { enabled, description } = [...state.tokens.values()][0] ?? {};
      return { enabled, description };
    };
    expect(modify({ Enable: false, Desc: 'two' })).toBeUndefined();
    expect(kept()).toEqual({ enabled: false, description: 'one' });
    expect(modify({ Enable: true, Desc: 'two', ModifyFlag: 1 })).toBeUndefined();
    expect(kept()).toEqual({ enabled: false, description: 'two' });
    expect([modify({ ModifyFlag: 3 }), modify({ ModifyFlag: 1 }), modify({})]).toEqual(
      Array(3).fill('InvalidParameter'),
    );
  });

  test.each<[string, object, string]>([
    ['of another type', { TokenType: 'forever' }, 'InvalidParameter'],
    ['with a description of 256 characters', { Desc: 'x'.repeat(256) }, 'InvalidParameter'],
    ['of an instance that is not there', { RegistryId: 'tcr-none0001' }, 'ResourceNotFound.TcrResourceNotFound'],
    ['of another account’s instance', { RegistryId: 'tcr-sample02' }, 'ResourceNotFound.TcrResourceNotFound'],
  ])('%s is not minted', (_name, change, code) => {
    const state = sampleState();
    expect(codeOf(askTcr(state, 'CreateInstanceToken', { RegistryId, TokenType: 'longterm', ...change }))).toBe(code);
    expect(state.tokens.size).toBe(0);
  });

  test('is not minted in another region than the instance’s, nor while it does not run', () => {
    const state = sampleState();
    const elsewhere = askTcr(state, 'CreateInstanceToken', { RegistryId }, { region: 'ap-shanghai' });
    expect(codeOf(elsewhere)).toBe('ResourceNotFound.TcrResourceNotFound');
    const instance = state.instances.get(RegistryId);
    if (instance !== undefined) state.instances.set(RegistryId, { ...instance, status: 'Isolate' });
    expect(codeOf(askTcr(state, 'CreateInstanceToken', { RegistryId }))).toBe('UnsupportedOperation');
  });
});

describe('the list of tokens', () => {
  test('has pages of 20, up to 100, with the number of all', () => {
    const state = sampleState();
    for (let index = 0; index < 101; index += 1) {
      const asked = { RegistryId, TokenType: 'longterm', Desc: String(index) };
      askTcr(state, 'CreateInstanceToken', asked, { now: NOW + index * 10 });
    }
    const page = (parameters: object) => {
      const asked = { now: NOW + 10_000 };
      const answer = askTcr(state, 'DescribeInstanceToken', { RegistryId, ...parameters }, asked);
      return [answer.TotalCount, (answer.Tokens as { Desc: string }[] | null)?.map(({ Desc }) => Desc)];
    };
    const names = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => String(from + index));
    expect(page({})).toEqual([101, names(0, 20)]);
    expect(page({ Limit: 100 })).toEqual([101, names(0, 100)]);
    expect(page({ Limit: 100, Offset: 100 })).toEqual([101, ['100']]);
    expect(page({ Limit: 100, Offset: 101 })).toEqual([101, undefined]);
  });

  test.each([{ Limit: 101 }, { Limit: 0 }, { Offset: -1 }])('refuses %j', (page) => {
    expect(codeOf(askTcr(sampleState(), 'DescribeInstanceToken', { RegistryId, ...page }))).toBe('InvalidParameter');
  });
});

test.each<[Partial<AnswerVariants>, object]>([
  [{ instants: 'ms-text' }, { ExpTime: String(NOW + 3_600_123) }],
  [{ instants: 'seconds' }, { ExpTime: NOW / 1000 + 3600 }],
  [{ instants: 'seconds-text' }, { ExpTime: String(NOW / 1000 + 3600) }],
  [{ usernameAsNumber: true }, { Username: 100000000011 }],
])('the variant %j is told', (variant, answer) => {
  const state = sampleState();
  state.variants = { ...DEFAULT_VARIANTS, ...variant };
  expect(askTcr(state, 'CreateInstanceToken', { RegistryId })).toMatchObject(answer);
});

test('an empty list is null, or empty where that is set', () => {
  const state = sampleState();
  state.variants = { ...DEFAULT_VARIANTS, emptyLists: 'empty' };
  expect(askTcr(state, 'DescribeInstanceToken', { RegistryId })).toMatchObject({ TotalCount: 0, Tokens: [] });
});

test('the name of a key follows from the key', () => {
  const { pem } = createJwtSigner('RS256');
  expect(buildKeyId(pem)).toBe(buildKeyId(createPublicKey(pem).export({ format: 'pem', type: 'spki' }).toString()));
  expect(buildKeyId(createJwtSigner('RS256').pem)).not.toBe(buildKeyId(pem));
});

function readJwt(token: unknown): readonly (Readonly<Record<string, unknown>> | undefined)[] {
  return String(token)
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>);
}
