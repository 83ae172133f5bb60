// The list hosts.yaml: which lines it means, and what is said of what is wrong with it.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAddress, parseHostName, parsePair, renderPair, type HostPair } from '../../../src/core/host-names.ts';
import { parseHostsItems, wantedPairs } from '../../../src/core/hosts-items.ts';

const linesOf = (text: string): readonly string[] => {
  const parsed = parseHostsItems(text);
  if (!parsed.ok) throw new Error(parsed.issues.map(({ message }) => message).join('\n'));
  return parsed.value.pairs.map(renderPair);
};
const issuesOf = (text: string): readonly string[] =>
  parseHostsItems(text).issues.map(
    ({ severity, path, line, message }) => `${severity} ${path}:${line ?? '?'} ${message}`,
  );

const SAMPLE = `- {domain: acme-prod.tencentcloudcr.com, ip: 10.20.0.7, disabled: false}
- {domain: acme-prod-vpc.tencentcloudcr.com, ip: 10.20.0.7, disabled: true}
`;

describe('the list', () => {
  test('[tcr H1] of the vendor gives one line; the disabled item none', () => {
    expect(linesOf(SAMPLE)).toEqual(['10.20.0.7 acme-prod.tencentcloudcr.com']);
    expect(issuesOf(SAMPLE)).toEqual([]);
  });

  test.each<[string, string, readonly string[]]>([
    ['nothing', '[]', []],
    ['only what is disabled', '- {domain: a.b, ip: 1.2.3.4, disabled: "true"}', []],
    ['[tcr H4] only what is disabled, without an address', '- {domain: a.b, disabled: true}', []],
    ['[tcr H7] duplicates, once', '- {domain: a.b, ip: 1.2.3.4}\n- {domain: A.B., ip: 1.2.3.4}', ['1.2.3.4 a.b']],
    [
      'both kinds of address for one name',
      '- {domain: a.b, ip: "FD00:0::7"}\n- {domain: a.b, ip: 1.2.3.4}',
      ['1.2.3.4 a.b', 'fd00::7 a.b'],
    ],
    ['JSON', '[{"domain": "a.b", "ip": "1.2.3.4"}]', ['1.2.3.4 a.b']],
    [
      'names and switches as people write them',
      '- Domain: "A.B"\n  IP: " 1.2.3.4 "\n  disabled: "False"',
      ['1.2.3.4 a.b'],
    ],
  ])('says %s', (_, text, expected) => {
    expect(linesOf(text)).toEqual(expected);
    expect(issuesOf(text)).toEqual([]);
  });

  test.each<[string, string, string]>([
    ['no ip', '- domain: bad.io', 'error hosts.yaml[0].ip:1 is missing: must be an IPv4 or IPv6 address'],
    ['a bad ip', '- domain: bad.io\n  ip: 10.0.0.256', 'error hosts.yaml[0].ip:2 must be an IPv4'],
    ['an ip that YAML takes for a number', '- domain: bad.io\n  ip: 10.20', 'error hosts.yaml[0].ip:2 must be an IPv4'],
    ['a list for an ip', '- domain: bad.io\n  ip: [10.0.0.1]', 'error hosts.yaml[0].ip:2 must be text, not a list'],
    ['no domain', '- ip: 10.0.0.1', 'error hosts.yaml[0].domain:1 is missing: must be a host name'],
    ['a URL', '- domain: https://bad.io\n  ip: 10.0.0.1', 'error hosts.yaml[0].domain:1 must be a host name'],
    ['a wildcard', '- domain: "*.bad.io"\n  ip: 10.0.0.1', 'error hosts.yaml[0].domain:1 must be a host name'],
    ['the node itself', '- domain: localhost\n  ip: 10.0.0.1', 'error hosts.yaml[0].domain:1 must be a host name'],
    [
      'a name that would break the line',
      '- domain: "bad.io\\n10.0.0.1 evil.io"\n  ip: 10.0.0.1',
      'error hosts.yaml[0].domain:1 must be a host name',
    ],
    [
      'a switch that is none',
      '- domain: bad.io\n  ip: 10.0.0.1\n  disabled: maybe',
      'error hosts.yaml[0].disabled:3 must be `true` or `false`',
    ],
    ['a plain text', '- bad.io 10.0.0.1', 'error hosts.yaml[0]:1 must be a map with domain and ip'],
    ['nothing', '-', 'error hosts.yaml[0]:1 must be a map with domain and ip'],
  ])('[tcr H3] reports an item with %s, and applies the others', (_, bad, expected) => {
    const text = `${bad}\n- {domain: good.io, ip: 10.0.0.9}`;
    expect(issuesOf(text)).toEqual([expect.stringContaining(expected)]);
    expect(linesOf(text)).toEqual(['10.0.0.9 good.io']);
  });

  test('reports an unknown field, and the item counts', () => {
    expect(issuesOf('- {domain: a.b, ip: 1.2.3.4, disable: true}')).toEqual([
      'warning hosts.yaml[0].disable:1 unknown field, ignored: did you mean disabled?',
    ]);
    expect(linesOf('- {domain: a.b, ip: 1.2.3.4, disable: true}')).toEqual(['1.2.3.4 a.b']);
  });

  test('[tcr H7] takes the first of two addresses of one kind, and reports the other', () => {
    const text = '- {domain: a.b, ip: 1.2.3.4}\n- {domain: a.b, ip: 1.2.3.5}';
    expect(linesOf(text)).toEqual(['1.2.3.4 a.b']);
    expect(issuesOf(text)).toEqual(['error hosts.yaml[1].ip:2 a.b has 1.2.3.4 above, which counts: keep one of them']);
  });

  test.each<[string, string, string]>([
    ['no YAML', '- {domain: a.b', ''],
    ['a map', 'domain: a.b\nip: 1.2.3.4', 'must be a YAML list'],
    ['a text', 'a.b', 'must be a YAML list'],
    ['empty', ' \n# none\n', 'holds no item: write a YAML list, or `[]`'],
    ['too long', Array.from({ length: 1_001 }, () => '- {domain: a.b, ip: 1.2.3.4}').join('\n'), 'at most 1000 items'],
    ['only items that name nobody', '- 1\n- {ip: 1.2.3.4}', 'must be a map'],
  ])('cannot be used when it is %s', (_, text, message) => {
    expect(parseHostsItems(text).ok).toBe(false);
    expect(issuesOf(text).join('\n')).toContain(message);
  });

  test('means the same in any order', () => {
    const item = fc.record({ domain: fc.constantFrom('a.b', 'b.b', 'c.b'), ip: fc.ipV4() });
    const items = fc.uniqueArray(item, { selector: ({ domain }) => domain, maxLength: 3 });
    fc.assert(
      fc.property(items, (some) => {
        expect(linesOf(JSON.stringify([...some].reverse()))).toEqual(linesOf(JSON.stringify(some)));
      }),
    );
  });
});

describe('what the block should hold', () => {
  const held: readonly HostPair[] = [
    { domain: 'a.b', ip: '1.1.1.1' },
    { domain: 'c.d', ip: '2.2.2.2' },
  ];
  const wanted = (text: string): readonly string[] => {
    const parsed = parseHostsItems(text);
    return parsed.ok ? wantedPairs(parsed.value, held).map(renderPair) : ['unusable'];
  };

  test('keeps the line of a name whose item is wrong, until it is right', () => {
    expect(wanted('- {domain: a.b, ip: 1.1.1}\n- {domain: x.y, ip: 3.3.3.3}')).toEqual(['1.1.1.1 a.b', '3.3.3.3 x.y']);
    expect(wanted('- {domain: a.b, ip: 1.1.1}')).toEqual(['1.1.1.1 a.b']);
  });

  test('does not keep it when its item is disabled, though that is wrong, and the only one', () => {
    expect(wanted('- {domain: a.b, ip: 1.1.1, disabled: true}')).toEqual([]);
    expect(issuesOf('- {domain: a.b, ip: 1.1.1, disabled: true}')).toHaveLength(1);
    expect(wanted('- {ip: 1.1.1.1, disabled: true}')).toEqual(['unusable']);
    expect(wanted('- {domain: a.b, disabled: maybe}')).toEqual(['1.1.1.1 a.b']);
  });

  test('does not keep it when the name has another address of that kind, or its item is disabled', () => {
    expect(wanted('- {domain: a.b, ip: 1.1.1}\n- {domain: a.b, ip: 9.9.9.9}')).toEqual(['9.9.9.9 a.b']);
    expect(wanted('- {domain: a.b, ip: 1.1.1, disabled: true}\n- {domain: x.y, ip: 3.3.3.3}')).toEqual(['3.3.3.3 x.y']);
  });
});

describe('names and addresses', () => {
  test.each([
    ['A-1.Example.COM.', 'a-1.example.com'],
    ['registry', 'registry'],
    [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b`],
    [`${'a'.repeat(64)}.b`, undefined],
    [`${'a.'.repeat(127)}b`, undefined],
    ['a..b', undefined],
    ['-a.b', undefined],
    ['a_b.c', undefined],
    ['10.20.0.7', undefined],
    ['münchen.de', undefined],
    ['a b', undefined],
    ['', undefined],
    ['x.localhost', undefined],
  ])('the name %j is %j', (text, expected) => {
    expect(parseHostName(text)).toBe(expected);
  });

  test.each([
    ['10.20.0.7', '10.20.0.7'],
    ['255.255.255.255', '255.255.255.255'],
    ['010.0.0.1', undefined],
    ['10.0.0', undefined],
    ['10.0.0.1/24', undefined],
    ['FD00:0:0::0007', 'fd00::7'],
    ['::1', '::1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['fe80::1%eth0', undefined],
    ['1:2:3', undefined],
    ['[::1]', undefined],
    ['', undefined],
  ])('the address %j is %j', (text, expected) => {
    expect(parseAddress(text)).toBe(expected);
  });

  test('every line that is written is read back, and nothing else is taken for one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const ip = parseAddress(text) ?? '';
        expect(parsePair(renderPair({ ip, domain: 'a.b' }))).toEqual({ ip, domain: 'a.b' });
      }),
    );
    for (const line of ['', '#', '1.2.3.4', '1.2.3.4 a b', '1.2.3.4\ta', '1.2.3.4  a', '1.2.3.4 A', ' 1.2.3.4 a']) {
      expect(parsePair(line)).toBeUndefined();
    }
  });
});
