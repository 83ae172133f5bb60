// What scripts/image and scripts/release decide without building or pushing anything.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { defaultBaseImages, parseImageName } from '../../../scripts/image-build/base-images.ts';
import { baseLabels } from '../../../scripts/image-build/build-image.ts';
import { BOUNDS, tooHeavy } from '../../../scripts/image-build/contents.ts';
import { readLogin } from '../../../scripts/image-build/push.ts';
import { bundledPackages } from '../../../scripts/licences.ts';
import { chartArtifact } from '../../../scripts/release-build/artifacts.ts';
import { pinImage } from '../../../scripts/release-build/chart.ts';
import { checkReleasable, type WantedImage } from '../../../scripts/release-build/releasable.ts';

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

describe('an image that shall be released', () => {
  const PLATFORMS = ['linux/amd64', 'linux/arm64'];
  const facts = { version: '1.2.3', revision: 'a'.repeat(40) };
  const wanted = (parts: Partial<WantedImage> = {}): WantedImage => ({
    ...{ name: 'image.tar', platforms: PLATFORMS, facts, takesStandIns: false },
    ...parts,
  });
  const images = (base: string | undefined, platforms: readonly string[] = PLATFORMS, version = facts.version) =>
    platforms.map((platform) => ({
      platform,
      labels: {
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': facts.revision,
        ...(base === undefined ? {} : { 'org.opencontainers.image.base.name': base }),
      },
    }));
  const BASE = `gcr.io/distroless/nodejs24-debian12@${DIGEST}`;
  const STAND_IN = 'localhost/registry-credential-helper/stand-in-run:latest';

  test.each<[string, ReturnType<typeof images>, WantedImage]>([
    ['for both platforms on a base image of a registry', images(BASE), wanted()],
    ['for one that is named', images(BASE, ['linux/arm64']), wanted({ platforms: ['linux/arm64'] })],
    [
      'on stand-ins, for trying out',
      images(STAND_IN, ['linux/amd64']),
      wanted({ platforms: ['linux/amd64'], takesStandIns: true }),
    ],
  ])('%s is taken', (_, found, as) => expect(() => checkReleasable(found, as)).not.toThrow());

  test.each<[string, ReturnType<typeof images>, WantedImage, string]>([
    ['on stand-ins', images(STAND_IN), wanted(), `(linux/amd64) is built on ${STAND_IN}`],
    [
      'on an image of a registry of one machine',
      images('127.0.0.1:5000/base:1'),
      wanted(),
      'is built on 127.0.0.1:5000',
    ],
    ['that does not say on what', images(undefined), wanted(), 'is built on what it does not name'],
    [
      'for one platform where both are wanted',
      images(BASE, ['linux/amd64']),
      wanted(),
      'is for linux/amd64, and linux/amd64 and linux/arm64 shall be released: build it for those, or name what it is for with --platform=linux/amd64',
    ],
    [
      'for more than is wanted',
      images(BASE),
      wanted({ platforms: ['linux/arm64'] }),
      'is for linux/amd64 and linux/arm64, and linux/arm64 shall be released',
    ],
    ['of another version', images(BASE, PLATFORMS, '1.2.2'), wanted(), 'is version 1.2.2 of aaaa'],
  ])('%s is refused', (_, found, as, sentence) => expect(() => checkReleasable(found, as)).toThrow(sentence));
});

test('the chart in a registry says of itself what the image does', () => {
  const metadata = Buffer.from(
    JSON.stringify({ description: 'What it does', annotations: { 'artifacthub.io/license': 'Apache-2.0' } }),
  );
  const packaged = { name: 'chart', fileName: 'chart-1.2.3.tgz', content: Buffer.from('x'), metadata };
  const facts = { version: '1.2.3', revision: 'a'.repeat(40), epoch: 0 };
  const { manifest } = chartArtifact(packaged, facts, 'https://example.com/sources');
  const { annotations } = JSON.parse(manifest.toString()) as { annotations: unknown };
  const prefix = 'org.opencontainers.image.';
  expect(annotations).toEqual({
    [`${prefix}title`]: 'chart',
    [`${prefix}description`]: 'What it does',
    [`${prefix}licenses`]: 'Apache-2.0',
    [`${prefix}source`]: 'https://example.com/sources',
    [`${prefix}created`]: '1970-01-01T00:00:00.000Z',
    [`${prefix}version`]: '1.2.3',
    [`${prefix}revision`]: 'a'.repeat(40),
  });
});

test('an image names what it is built on, by digest where that is known', () => {
  expect(baseLabels(`gcr.io/a/b@${DIGEST}`)).toEqual({
    'org.opencontainers.image.base.name': `gcr.io/a/b@${DIGEST}`,
    'org.opencontainers.image.base.digest': DIGEST,
  });
  expect(baseLabels('localhost/a:latest')).toEqual({ 'org.opencontainers.image.base.name': 'localhost/a:latest' });
});
