// Releases into real registries, with token logins and with TLS, and what people get from there with real Helm.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { load } from 'js-yaml';
import { ownPlatform } from '../../scripts/image-build/build-image.ts';
import { listFiles } from '../../scripts/image-build/contents.ts';
import { readLayout, unpack, type Descriptor } from '../../scripts/image-build/layout.ts';
import type { BundledPackage } from '../../scripts/licences.ts';
import { createHelm, deploymentOf, manifestsOf, type Helm } from '../chart/helm.ts';
import { billProblems } from '../support/bill-schema.ts';
import { createCertificateAuthority } from '../support/clouds/certificates.ts';
import { SAMPLE, startClouds, type Clouds } from '../support/clouds/clouds.ts';
import { pullImage, pushImage } from '../support/control-plane/oci.ts';
import { openRegistrySession } from '../support/control-plane/oci-session.ts';
import {
  startRegistry,
  type Registry,
  type RegistryAuth,
  type RegistryOptions,
} from '../support/control-plane/registry.ts';
import { createWorkshop, whyNotHere, type ScriptResult, type Workshop } from './workshop.ts';

const BUILD_MS = 1_800_000;
const execute = promisify(execFile);
/** The images of these tests are built on stand-ins, which are of this machine. */
const TRYING_OUT = ['--stand-in', `--platform=${ownPlatform()}`];
const login = { username: SAMPLE.user.username, password: SAMPLE.user.password };

jest.setTimeout(300_000);

const why = await whyNotHere();
if (why === undefined) describe('a release', testRelease);
else process.stderr.write(`The tests of releases do not run here. ${why}\n`);

describe('scripts/release', () => {
  test.each([
    [[], '--registry is missing: where shall the release go?'],
    [['--registry=tools'], '"tools/registry-credential-helper" is not the name of an image: write HOST/PATH:TAG'],
    [['--registry=a.example', '--platform=linux/386'], '--platform is "linux/386": known are linux/amd64, linux/arm64'],
    [['--registry=a.example', '--force'], "Unknown option '--force'"],
  ])('%j is wrong usage, said in one sentence', async (args, sentence) => {
    const command = ['scripts/release.ts', ...args];
    const failure = (await execute(process.execPath, command).catch((error: unknown) => error)) as {
      code: number;
      stderr: string;
    };
    expect(failure.code).toBe(2);
    expect(failure.stderr.split('\n')[0]).toContain(sentence);
  });
});

function testRelease(): void {
  let workshop: Workshop;
  let helm: Helm;
  let clouds: Clouds;
  let registry: Registry;
  let auth: RegistryAuth;
  let clone: string;
  let flags: readonly string[];
  let first: ScriptResult;
  let record: { image: Released; chart: Released; version: string };

  interface Released {
    readonly reference: string;
    readonly digest: string;
  }

  beforeAll(async () => {
    workshop = await createWorkshop();
    helm = await createHelm();
    clouds = await startClouds({ instances: [SAMPLE.instance] });
    const { realm, service, issuer, rootCertBundle } = clouds.endpoints().registryAuth;
    auth = { realm, service, issuer, rootCertBundle };
    registry = await startRegistry({ auth });
    clone = await workshop.clone('clone');
    flags = [`--registry=${registry.host}/tools`, '--plain-http', ...TRYING_OUT];
    first = await release([]);
    if (first.code !== 0) throw new Error(first.stderr);
    record = JSON.parse(readFileSync(path.join(clone, 'dist/release/release.json'), 'utf8')) as typeof record;
  }, BUILD_MS);
  afterAll(async () => {
    await registry.stop();
    await clouds.stop();
    await helm.remove();
    await workshop.remove();
  });

  const release = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ScriptResult> =>
    workshop.run(clone, 'release', [...flags, ...args], {
      REGISTRY_USERNAME: login.username,
      REGISTRY_PASSWORD: login.password,
      ...env,
    });
  /** The image that the release wrote. */
  const archive = (): string =>
    `--image=${path.join(clone, 'dist/release', `registry-credential-helper-${record.version}.oci.tar`)}`;
  const access = () => ({ registryUrl: registry.url, login });
  const read = async <T>(place: string, accept = 'application/vnd.oci.image.manifest.v1+json'): Promise<T> => {
    const session = openRegistrySession(access());
    try {
      const { body } = await session.call({ method: 'GET', path: `/v2/${place}`, headers: { accept } }, [200]);
      return JSON.parse(body.toString()) as T;
    } finally {
      await session.close();
    }
  };
  /** Flags of Helm for this registry, with the login in a file of its own. */
  const helmFlags = (): readonly string[] => {
    const file = path.join(workshop.folder, 'helm-logins.json');
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    writeFileSync(file, JSON.stringify({ auths: { [registry.host]: { auth } } }));
    return ['--plain-http', `--registry-config=${file}`, `--version=${record.version}`];
  };

  test('is told in full: image, bill of materials and chart with digests, the command to install, and that it is not signed', () => {
    expect(first.stderr).toContain(`Image ${record.image.reference}:${record.version}@${record.image.digest}\n`);
    expect(first.stderr).toMatch(/Bill of materials of sha256:[0-9a-f]{64}: sha256:[0-9a-f]{64}\n/);
    expect(first.stderr).toContain(`Chart ${record.chart.reference}:${record.version}@${record.chart.digest}\n`);
    expect(first.stdout).toBe(
      `helm install registry-credential-helper oci://${record.chart.reference} --version ${record.version}\n`,
    );
    expect(first.stderr).not.toContain(login.password);
  });

  test('its image is in the registry whole, under its version and its digest', async () => {
    const repository = 'tools/registry-credential-helper';
    for (const tag of [record.version, record.image.digest])
      expect(await pullImage({ ...access(), repository, tag })).toMatchObject({
        ok: true,
        manifestDigest: record.image.digest,
      });
  });

  test('its chart is installed by Helm from the registry, with the image by digest', async () => {
    const reference = `oci://${record.chart.reference}`;
    const rendered = await helm.succeed(['template', 'registry-credential-helper', reference, ...helmFlags()]);
    const [container] = deploymentOf(manifestsOf(rendered)).template.spec.containers;
    expect(container.image).toBe(`${record.image.reference}@${record.image.digest}`);
    expect(load(await helm.succeed(['show', 'chart', reference, ...helmFlags()]))).toMatchObject({
      name: 'registry-credential-helper',
      version: record.version,
      appVersion: record.version,
    });
    const folder = path.join(workshop.folder, 'pulled');
    mkdirSync(folder);
    await helm.succeed(['pull', reference, '--destination', folder, ...helmFlags()]);
    const [file = ''] = readdirSync(folder);
    expect(readFileSync(path.join(folder, file))).toEqual(readFileSync(path.join(clone, 'dist/release', file)));
  });

  test('its chart differs from the sources in the image alone', async () => {
    const values = await helm.succeed(['show', 'values', `oci://${record.chart.reference}`, ...helmFlags()]);
    const { image, ...rest } = load(values) as Record<string, unknown>;
    const sources = readFileSync('charts/registry-credential-helper/values.yaml', 'utf8');
    const { image: before, ...restBefore } = load(sources) as Record<string, unknown>;
    expect(rest).toEqual(restBefore);
    expect(image).toMatchObject({ digest: record.image.digest });
    expect(Object.keys(image as object)).toEqual(Object.keys(before as object));
    const comments = (text: string) => text.split('\n').filter((line) => line.trim().startsWith('#'));
    expect(comments(values)).toEqual(comments(sources));
  });

  test('its bill of materials is found by the digest of the image, and is the file that was written', async () => {
    const repository = 'tools/registry-credential-helper';
    const index = 'application/vnd.oci.image.index.v1+json';
    const { manifests } = await read<{ manifests: readonly Descriptor[] }>(
      `${repository}/manifests/${record.image.digest.replace(':', '-')}`,
      index,
    );
    expect(manifests.map(({ artifactType }) => artifactType)).toEqual(['application/vnd.cyclonedx+json']);
    const { subject, layers } = await read<{ subject: Descriptor; layers: readonly [Descriptor] }>(
      `${repository}/manifests/${manifests[0]?.digest ?? ''}`,
    );
    expect(subject.digest).toBe(record.image.digest);
    const file = readdirSync(path.join(clone, 'dist/release')).find((name) => name.endsWith('.cdx.json')) ?? '';
    expect(await read(`${repository}/blobs/${layers[0].digest}`)).toEqual(
      JSON.parse(readFileSync(path.join(clone, 'dist/release', file), 'utf8')),
    );
  });

  test('the same again changes nothing', async () => {
    const before = JSON.stringify(await everything());
    const again = await release([archive()]);
    expect(again.stderr).toContain(`Chart ${record.chart.reference}:${record.version}@${record.chart.digest}\n`);
    expect(again.code).toBe(0);
    expect(JSON.stringify(await everything())).toBe(before);
  });

  test('another chart under the same version is refused, and changes nothing', async () => {
    const before = JSON.stringify(await everything());
    const { code, stderr } = await release([archive()], { SOURCE_DATE_EPOCH: '1' });
    expect(stderr).toContain(
      `tools/charts/registry-credential-helper:${record.version} is released as ${record.chart.digest}`,
    );
    expect(stderr).toContain('raise the version');
    expect(code).toBe(1);
    expect(JSON.stringify(await everything())).toBe(before);
  });

  test('another image under the same version is refused, and no chart is pushed', async () => {
    const repository = 'taken/registry-credential-helper';
    const pushed = await pushImage({ ...access(), repository, tag: record.version });
    expect(pushed.ok).toBe(true);
    const { code, stderr } = await release([archive(), `--registry=${registry.host}/taken`]);
    expect(stderr).toContain(`${repository}:${record.version} is released as sha256:`);
    expect(code).toBe(1);
    await expect(read('taken/charts/registry-credential-helper/tags/list')).rejects.toMatchObject({ status: 404 });
  });

  test('with --dry-run pushes nothing', async () => {
    const args = [archive(), `--registry=${registry.host}/dry`, '--dry-run', '--output=dist/dry'];
    const { code, stderr } = await release(args);
    expect(stderr).toContain('Nothing was pushed: --dry-run');
    expect(code).toBe(0);
    const { image } = JSON.parse(readFileSync(path.join(clone, 'dist/dry/release.json'), 'utf8')) as typeof record;
    expect(image).toEqual({
      reference: `${registry.host}/dry/registry-credential-helper`,
      digest: record.image.digest,
    });
    await expect(read('dry/registry-credential-helper/tags/list')).rejects.toMatchObject({ status: 404 });
  });

  test('of a tree with changes, or of an image of another commit, is refused', async () => {
    const file = path.join(clone, 'README.md');
    const readme = readFileSync(file, 'utf8');
    writeFileSync(file, `${readme}\nMore.\n`);
    expect((await release([archive()])).stderr).toContain('The tree is not as it was committed');
    const git = (...args: readonly string[]) => execute('git', args, { cwd: clone });
    await git('-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--all', '--message=More');
    const { stderr } = await release([archive()]);
    await git('reset', '--quiet', '--hard', 'HEAD^');
    expect(stderr).toMatch(/\.oci\.tar \(linux\/\w+\) is version .*: build it again/);
  });

  test.each<[string, readonly string[], string]>([
    ['on stand-ins, unless it is for trying out', [], 'is built on localhost/registry-credential-helper/stand-in-run'],
    ['for one platform, unless that is named', ['--stand-in'], `with --platform=${ownPlatform()}`],
  ])('of an image %s, is refused', async (_, args, sentence) => {
    const env = { REGISTRY_USERNAME: login.username, REGISTRY_PASSWORD: login.password };
    const all = [`--registry=${registry.host}/refused`, '--plain-http', archive(), ...args];
    failsWith(sentence, await workshop.run(clone, 'release', all, env));
    await expect(read('refused/registry-credential-helper/tags/list')).rejects.toMatchObject({ status: 404 });
  });

  test('on stand-ins for every platform is refused before anything is built', async () => {
    const args = [`--registry=${registry.host}/refused`, '--plain-http', '--stand-in'];
    failsWith(`--platform=${ownPlatform()}`, await workshop.run(clone, 'release', args));
  });

  test.each<[string, NodeJS.ProcessEnv, string]>([
    ['a wrong password', { REGISTRY_PASSWORD: 'wrong' }, 'the login is wrong: set REGISTRY_USERNAME'],
    [
      'half a login',
      { REGISTRY_PASSWORD: undefined },
      'REGISTRY_USERNAME and REGISTRY_PASSWORD: one of them is missing',
    ],
  ])('with %s fails with one sentence', async (_, env, sentence) => {
    failsWith(sentence, await release([archive()], env));
  });

  test('with a registry that is not encrypted asks for the flag that says so', async () => {
    const { REGISTRY_USERNAME, REGISTRY_PASSWORD } = {
      REGISTRY_USERNAME: login.username,
      REGISTRY_PASSWORD: login.password,
    };
    const args = [`--registry=${registry.host}/tools`, archive(), ...TRYING_OUT];
    const result = await workshop.run(clone, 'release', args, { REGISTRY_USERNAME, REGISTRY_PASSWORD });
    failsWith('A registry that is not encrypted needs --plain-http, one of your own --ca-file.', result);
  });

  describe('into an encrypted registry', () => {
    let tls: { readonly certFile: string; readonly keyFile: string };
    let caFile: string;
    beforeAll(async () => {
      const certificates = path.join(workshop.folder, 'certificates');
      mkdirSync(certificates);
      const authority = await createCertificateAuthority(certificates);
      const { certFile } = await authority.issue('registry', ['127.0.0.1']);
      caFile = authority.certFile;
      tls = { certFile, keyFile: certFile.replace(/\.pem$/, '.key') };
    });

    const releaseTo = async (options: RegistryOptions, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const encrypted = await startRegistry({ tls, ...options });
      try {
        return await workshop.run(
          clone,
          'release',
          [`--registry=${encrypted.host}/tools`, archive(), ...TRYING_OUT, ...args],
          env,
        );
      } finally {
        await encrypted.stop();
      }
    };

    test('goes with the authority that is given, and not without', async () => {
      expect((await releaseTo({}, [`--ca-file=${caFile}`])).code).toBe(0);
      failsWith('--ca-file', await releaseTo({}, []));
    });

    test('sends no login to a place that is not encrypted', async () => {
      const calls = clouds.registryToken.calls().length;
      const env = { REGISTRY_USERNAME: login.username, REGISTRY_PASSWORD: login.password };
      failsWith('TokenEndpointPlain', await releaseTo({ auth }, [`--ca-file=${caFile}`], env));
      expect(clouds.registryToken.calls().length).toBe(calls);
    });
  });

  test('its bill of materials names what is really in the image', async () => {
    const files = readdirSync(path.join(clone, 'dist/release'));
    const text = readFileSync(
      path.join(clone, 'dist/release', files.find((name) => name.endsWith('.cdx.json')) ?? ''),
      'utf8',
    );
    expect(await billProblems(text)).toBeUndefined();
    const { components } = JSON.parse(text) as {
      components: readonly {
        type: string;
        name: string;
        version?: string;
        purl?: string;
        hashes?: readonly { alg: string; content: string }[];
        licenses?: readonly unknown[];
      }[];
    };
    const folder = path.join(workshop.folder, 'archive');
    mkdirSync(folder);
    await execute('tar', ['--extract', '--file', archive().replace('--image=', ''), '--directory', folder]);
    const layout = readLayout(folder);
    const root = path.join(workshop.folder, 'root');
    for (const image of layout.images) await unpack(layout.folder, image, root);

    const hashOf = (file: string) =>
      createHash('sha256')
        .update(readFileSync(path.join(root, file)))
        .digest('hex');
    expect(
      components.filter(({ type }) => type === 'file').map(({ name, hashes }) => [name, hashes?.[0]?.content]),
    ).toEqual(listFiles(root).map((file) => [file.path, hashOf(file.path)]));

    const packages = JSON.parse(readFileSync(path.join(root, 'licenses/packages.json'), 'utf8')) as BundledPackage[];
    const named = components.filter(({ purl }) => purl?.startsWith('pkg:npm/') === true);
    expect(new Set(named.map(({ name, version }) => `${name}@${version ?? ''}`))).toEqual(
      new Set(packages.map(({ name, version }) => `${name}@${version}`)),
    );
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { integrity?: string }>;
    };
    const undici = named.find(({ name }) => name === 'undici');
    const sha512 = Buffer.from(lock.packages['node_modules/undici']?.integrity?.slice(7) ?? '', 'base64').toString(
      'hex',
    );
    expect(undici).toMatchObject({
      hashes: [{ alg: 'SHA-512', content: sha512 }],
      licenses: [{ license: { id: 'MIT' } }],
    });

    const { stdout: node } = await execute(path.join(root, 'nodejs/bin/node'), ['--version']);
    expect(components.find(({ name }) => name === 'node')?.version).toBe(node.trim().slice(1));
    expect(components.find(({ name }) => name === 'libc6')?.purl).toMatch(/^pkg:deb\/debian\/libc6@/);
    const references = components.map((component) => (component as unknown as { 'bom-ref': string })['bom-ref']);
    expect(new Set(references).size).toBe(references.length);
  });

  function failsWith(sentence: string, { code, stderr }: ScriptResult): void {
    expect(stderr.trimEnd().split('\n').at(-1)).toContain(sentence);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(code).toBe(1);
  }

  /** Every tag of every repository with the digest that it stands for. */
  async function everything(): Promise<unknown> {
    const found: unknown[] = [];
    for (const repository of ['tools/registry-credential-helper', 'tools/charts/registry-credential-helper']) {
      const { tags } = await read<{ tags: readonly string[] }>(`${repository}/tags/list`);
      for (const tag of [...tags].sort()) {
        const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json';
        found.push([repository, tag, await read(`${repository}/manifests/${tag}`, accept)]);
      }
    }
    return found;
  }
}
