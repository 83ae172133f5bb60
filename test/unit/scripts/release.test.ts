// What scripts/image and scripts/release decide without building or pushing anything.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { defaultBaseImages, parseImageName } from '../../../scripts/image-build/base-images.ts';
import { BOUNDS, tooHeavy } from '../../../scripts/image-build/contents.ts';
import { readLogin } from '../../../scripts/image-build/push.ts';
import { bundledPackages } from '../../../scripts/licences.ts';
import { pinImage } from '../../../scripts/release-build/chart.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('the name of an image', () => {
  test.each([
    ['docker.io/library/node:24', { host: 'docker.io', repository: 'library/node', reference: '24' }],
    ['127.0.0.1:5000/a/b_c:1.0-x', { host: '127.0.0.1:5000', repository: 'a/b_c', reference: '1.0-x' }],
    ['localhost/a', { host: 'localhost', repository: 'a', reference: 'latest' }],
    [`registry.example.com/a@${DIGEST}`, { host: 'registry.example.com', repository: 'a', reference: DIGEST }],
  ])('%s is understood', (image, expected) => expect(parseImageName(image)).toEqual(expected));

  test.each([
    'node',
    'library/node:24',
    'registry.example.com/A',
    'registry.example.com/a:',
    'https://a.example/b',
    '',
  ])('%j is refused', (image) =>
    expect(() => parseImageName(image)).toThrow('is not the name of an image: write HOST/PATH:TAG'),
  );
});

test('the base images are those that the Dockerfile names, and it uses both', () => {
  const images = defaultBaseImages();
  expect(Object.keys(images)).toEqual(['BUILD_IMAGE', 'RUN_IMAGE']);
  for (const [name, image] of Object.entries(images)) {
    expect(parseImageName(image).reference).not.toBe('latest');
    expect(readFileSync('Dockerfile', 'utf8')).toMatch(new RegExp(`^FROM .*\\$\\{${name}\\}`, 'm'));
  }
});

describe('an image', () => {
  test('at its bounds is not too heavy', () => expect(tooHeavy(BOUNDS)).toEqual([]));

  test.each([
    [
      'as a whole',
      { ...BOUNDS, total: BOUNDS.total + 100_000 },
      'The image has 160.1 MB uncompressed, more than 160.0 MB',
    ],
    ['in our part', { ...BOUNDS, ours: BOUNDS.ours + 100_000 }, 'Our code has 6.1 MB, more than 6.0 MB'],
  ])('above its bounds %s is refused with both figures', (_, weight, sentence) => {
    expect(tooHeavy(weight)).toEqual([expect.stringContaining(sentence)]);
  });
});

describe('the values of a released chart', () => {
  const image = { host: 'registry.example.com:5000', repository: 'tools/helper', digest: DIGEST };

  test.each([
    [
      'repository alone',
      "image:\n  # Where.\n  repository: helper\n  digest: ''\nother:\n  digest: keep\n",
      `image:\n  # Where.\n  repository: registry.example.com:5000/tools/helper\n  digest: ${DIGEST}\nother:\n  digest: keep\n`,
    ],
    [
      'registry and repository',
      "global: {}\nimage:\n  registry: ''\n  repository: helper\n  tag: ''\n  digest: ''\n",
      `global: {}\nimage:\n  registry: registry.example.com:5000\n  repository: tools/helper\n  tag: ''\n  digest: ${DIGEST}\n`,
    ],
  ])('with %s name the image by digest, and are unchanged otherwise', (_, before, after) =>
    expect(pinImage(before, image)).toBe(after),
  );

  test('without a line for it are refused', () => {
    expect(() => pinImage('image:\n  repository: helper\n', image)).toThrow('no line for image.digest');
  });

  test('are those of the chart', () => {
    const values = readFileSync('charts/registry-credential-helper/values.yaml', 'utf8');
    expect(pinImage(values, image)).toContain(`  digest: ${DIGEST}\n`);
  });
});

describe('the login', () => {
  const withFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(path.join(tmpdir(), 'login-'));
    try {
      await work(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('is that of the environment, before files', async () => {
    const env = { REGISTRY_USERNAME: 'u', REGISTRY_PASSWORD: 'p' };
    expect(await readLogin('a.example', env)).toEqual({ username: 'u', password: 'p' });
    await expect(readLogin('a.example', { REGISTRY_USERNAME: 'u' })).rejects.toThrow('one of them is missing');
  });

  test('is that of the file of docker, else of podman, for this registry alone', async () => {
    await withFolder(async (folder) => {
      const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
      mkdirSync(path.join(folder, 'containers'));
      writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ auths: { 'a.example': auth('u:p:q') } }));
      const podman = { auths: { 'a.example': auth('x:y'), 'b.example': auth('v:w') } };
      writeFileSync(path.join(folder, 'containers', 'auth.json'), JSON.stringify(podman));
      const env = { DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: folder };
      expect(await readLogin('a.example', env)).toEqual({ username: 'u', password: 'p:q' });
      expect(await readLogin('b.example', env)).toEqual({ username: 'v', password: 'w' });
      expect(await readLogin('c.example', env)).toBeUndefined();
    });
  });
});

describe('the packages of a bundle', () => {
  const outputs = (inputs: Readonly<Record<string, number>>) => ({
    outputs: {
      'dist/main.mjs': {
        inputs: Object.fromEntries(Object.entries(inputs).map(([file, bytes]) => [file, { bytesInOutput: bytes }])),
      },
    },
  });

  test('are those of which something is in it, with version, licence and integrity', () => {
    const files = {
      'src/main.ts': 9,
      'node_modules/undici/index.js': 5,
      'node_modules/@peculiar/x509/a/b.js': 1,
      'node_modules/jest/index.js': 0,
    };
    const packages = bundledPackages(outputs(files));
    expect(packages).toEqual([
      expect.objectContaining({ name: '@peculiar/x509', license: 'MIT', integrity: expect.stringMatching(/^sha512-/) }),
      expect.objectContaining({ name: 'undici', license: 'MIT', place: 'node_modules/undici' }),
    ]);
  });

  test('that the lock file does not know are refused', () => {
    expect(() => bundledPackages(outputs({ 'node_modules/.bin/x.js': 1 }))).toThrow();
  });
});
