// The image: built twice from two clones, unpacked, searched, and run as the kubelet runs it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { listFiles, tooHeavy, weigh } from '../../scripts/image-build/contents.ts';
import { readConfig, readLayout, unpack, type ImageConfig, type Layout } from '../../scripts/image-build/layout.ts';
import type { BundledPackage } from '../../scripts/licences.ts';
import { createWorkshop, NPM_MARKER, whyNotHere, type ScriptResult, type Workshop } from './workshop.ts';

const BUILD_MS = 1_800_000;
const execute = promisify(execFile);

jest.setTimeout(60_000);

const why = await whyNotHere();
if (why === undefined) describe('the image', testImage);
else process.stderr.write(`The tests of the image do not run here. ${why}\n`);

function testImage(): void {
  let workshop: Workshop;
  let clones: readonly string[];
  let results: readonly ScriptResult[];
  let layout: Layout;
  let config: ImageConfig;
  let root: string;

  beforeAll(async () => {
    workshop = await createWorkshop();
    clones = [await workshop.clone('first'), await workshop.clone('second/elsewhere', '077')];
    const built = [];
    for (const clone of clones)
      built.push(
        await workshop.run(clone, 'image', [
          ...['--json', '--name=registry.example.com/tools/helper:1.2.3', '--source=https://git.example.com/helper'],
          ...['--output=oci-archive:image.oci.tar', '--output=docker-archive:image.docker.tar'],
        ]),
      );
    results = built;
    if (built.some(({ code }) => code !== 0)) throw new Error(built.map(({ stderr }) => stderr).join('\n'));
    layout = readLayout(await extract('image.oci.tar'));
    root = path.join(workshop.folder, 'root');
    const [image] = layout.images;
    if (image === undefined) throw new Error('There is no image');
    config = readConfig(layout.folder, image);
    await unpack(layout.folder, image, root);
  }, BUILD_MS);
  afterAll(() => workshop.remove());

  const extract = async (name: string): Promise<string> => {
    const folder = path.join(workshop.folder, `${name}.files`);
    mkdirSync(folder);
    await execute('tar', ['--extract', '--file', path.join(clones[0] ?? '', name), '--directory', folder]);
    return folder;
  };
  const version = (): string => (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

  describe('is reproducible', () => {
    test('two clones at two places with other modes give the same digest', () => {
      const [first, second] = results.map(({ stdout }) => JSON.parse(stdout) as { digest: string });
      expect(first?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(second).toEqual(first);
      expect(first?.digest).toBe(layout.root.digest);
    });

    test('archives of both clones are the same, byte by byte', () => {
      for (const name of ['image.oci.tar', 'image.docker.tar']) {
        const digests = clones.map((clone) =>
          createHash('sha256')
            .update(readFileSync(path.join(clone, name)))
            .digest('hex'),
        );
        expect(digests[1]).toBe(digests[0]);
      }
    });

    test('its files and the image bear the time of the commit', async () => {
      const { stdout } = await execute('git', ['log', '-1', '--format=%ct'], { cwd: clones[0] });
      const seconds = Number(stdout);
      expect(Date.parse(config.created ?? '') / 1000).toBe(seconds);
      for (const { path: file } of listFiles(root).filter((one) => one.path.startsWith('/app/')))
        expect([file, statSync(path.join(root, file)).mtimeMs / 1000]).toEqual([file, seconds]);
    });
  });

  describe('says of itself', () => {
    test('version, commit, sources, licence and base image in its labels', async () => {
      const { stdout } = await execute('git', ['rev-parse', 'HEAD'], { cwd: clones[0] });
      expect(config.config?.Labels).toEqual({
        'org.opencontainers.image.title': 'registry-credential-helper',
        'org.opencontainers.image.description': expect.stringContaining('private cloud registries'),
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.version': version(),
        'org.opencontainers.image.revision': stdout.trim(),
        'org.opencontainers.image.created': config.created?.replace(/Z$/, '.000Z'),
        'org.opencontainers.image.source': 'https://git.example.com/helper',
        'org.opencontainers.image.base.name': expect.stringMatching(/distroless|stand-in/),
      });
    });

    test('that it runs without root, as the controller unless told', () => {
      expect(config.config).toMatchObject({ User: '65532:65532', Cmd: ['controller'] });
    });

    test('the name that it was given, in both archives', async () => {
      const name = 'registry.example.com/tools/helper:1.2.3';
      const { manifests } = JSON.parse(readFileSync(path.join(layout.folder, 'index.json'), 'utf8')) as {
        manifests: readonly { annotations: unknown }[];
      };
      expect(manifests[0]?.annotations).toMatchObject({ 'io.containerd.image.name': name });
      const folder = await extract('image.docker.tar');
      const [image] = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as [
        { Config: string; RepoTags: string[]; Layers: string[] },
      ];
      expect(image.RepoTags).toEqual([name]);
      expect(JSON.parse(readFileSync(path.join(folder, image.Config), 'utf8'))).toEqual(config);
      const digests = image.Layers.map((file) =>
        createHash('sha256')
          .update(readFileSync(path.join(folder, file)))
          .digest('hex'),
      );
      expect(digests.map((digest) => `sha256:${digest}`)).toEqual(config.rootfs.diff_ids);
    });
  });

  describe('holds', () => {
    test('one program: Node; no shell, no package manager', () => {
      const programs = listFiles(root).filter(({ path: file }) => /\/s?bin\//.test(file));
      expect(programs.map(({ path: file }) => file)).toEqual(['/nodejs/bin/node']);
      const names = /^(sh|bash|dash|ash|busybox|apt|apt-get|dpkg|apk|rpm|npm|npx|yarn|corepack|curl|wget)$/;
      const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
        names.test(path.basename(file)),
      );
      expect(found.filter((file) => !statSync(path.join(root, file)).isDirectory())).toEqual([]);
    });

    test('no file that changes who runs it, and none that others may write', () => {
      expect(listFiles(root).filter(({ mode }) => (mode & 0o6002) !== 0)).toEqual([]);
    });

    test('no source map, no source and no test', () => {
      const ours = listFiles(root).filter(({ path: file }) => file.startsWith('/app/'));
      expect(ours.map(({ path: file }) => file)).toContain('/app/main.mjs');
      expect(ours.filter(({ path: file }) => !/\.(mjs|LEGAL\.txt)$/.test(file))).toEqual([]);
    });

    test('the licence of the project, and one for each package of the bundle', () => {
      const read = (name: string): string => readFileSync(path.join(root, 'licenses', name), 'utf8');
      expect(read('LICENSE')).toBe(readFileSync('LICENSE', 'utf8'));
      const packages = JSON.parse(read('packages.json')) as readonly BundledPackage[];
      const names = packages.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['undici', 'winston', '@kubernetes/client-node', 'js-yaml']));
      expect(names.filter((name) => ['typescript', 'jest', 'esbuild', 'node'].includes(name))).toEqual([]);
      for (const { name, version: of, license } of packages)
        expect(read('THIRD-PARTY.txt')).toContain(`${name} ${of}\nLicence: ${license}\n`);
    });

    test('nothing of the machine that built it: no login, no mirror, no proxy, no path', async () => {
      const { stdout: npm } = await execute('npm', ['config', 'get', 'registry']);
      const hosts = [
        npm,
        ...['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].map((name) => process.env[name] ?? ''),
      ]
        .flatMap((url) => (URL.canParse(url.trim()) ? [new URL(url.trim()).host] : []))
        .filter((host) => host !== 'registry.npmjs.org');
      const traces = [NPM_MARKER, 'npm.example.test', workshop.folder, process.cwd(), ...hosts].map((text) =>
        Buffer.from(text),
      );
      if (hostname().length > 5) traces.push(Buffer.from(hostname()));
      const files = [
        ...listFiles(root).map((file) => path.join(root, file.path)),
        ...listFiles(layout.folder).map((file) => path.join(layout.folder, file.path)),
      ];
      expect(files.length).toBeGreaterThan(20);
      const found = files.flatMap((file) => {
        const content = readFileSync(file);
        return traces.filter((trace) => content.includes(trace)).map((trace) => `${file}: ${trace.toString()}`);
      });
      expect(found).toEqual([]);
    });

    test('only authorities that Debian trusts', () => {
      const folder = '/usr/share/ca-certificates/mozilla';
      if (!existsSync(folder)) return;
      const known = new Set(readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8').trim()));
      const bundle = readFileSync(path.join(root, 'etc/ssl/certs/ca-certificates.crt'), 'utf8');
      const trusted = bundle.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
      expect(trusted.length).toBeGreaterThan(50);
      expect(trusted.filter((one) => !known.has(one))).toEqual([]);
    });

    test('no more than its bounds allow', () => {
      expect(tooHeavy(weigh(listFiles(root)))).toEqual([]);
    });
  });

  describe('runs as user 65532 on a root that cannot be written', () => {
    /** As a container: a root of its own, read-only, with /proc, /dev and a hosts file. */
    const run = async (args: readonly string[], program = config.config?.Entrypoint ?? []): Promise<string> => {
      const mounts = `
        set -e; root=$1; shift
        mount --make-rprivate /; mount --bind "$root" "$root"; mkdir -p "$root/proc" "$root/dev"
        echo 127.0.0.1 localhost >"$root/etc/hosts"
        mount -t proc proc "$root/proc"; mount --bind /dev "$root/dev"; mount -o remount,bind,ro "$root"
        exec chroot --userspec=65532:65532 --groups= "$root" "$@"`;
      const command = ['--mount', '--pid', '--fork', 'sh', '-c', mounts, 'sh', root, ...program, ...args];
      const { stdout } = await execute('unshare', command, { env: { PATH: process.env.PATH, HOME: '/nonexistent' } });
      return stdout;
    };

    test('its version', async () => {
      expect(await run(['--version'])).toBe(`${version()}\n`);
    });

    test.each(['controller', 'hosts', 'cleanup', 'migrate'])('the help of %s', async (command) => {
      expect(await run([command, '--help'])).toMatch(/^Usage: registry-credential-helper /m);
    });

    test('and cannot write, nor become root', async () => {
      const code = `
        const codes = ['/x', '/app/x', '/tmp/x'].map((file) => { try { require('fs').writeFileSync(file, ''); } catch ({ code }) { return code; } });
        console.log(JSON.stringify([process.getuid(), process.getgid(), process.version, codes]));`;
      const [uid, gid, node, codes] = JSON.parse(await run(['-e', code], ['/nodejs/bin/node'])) as [
        number,
        number,
        string,
        string[],
      ];
      expect([uid, gid]).toEqual([65532, 65532]);
      expect(node).toMatch(/^v24\./);
      for (const one of codes) expect(['EROFS', 'ENOENT']).toContain(one);
    });

    test('and finds names and authorities with what the base image brings', async () => {
      const code = `
        require('dns').lookup('localhost', (error, address) =>
          console.log(address, require('fs').readFileSync(process.env.SSL_CERT_FILE, 'utf8').includes('BEGIN CERTIFICATE')));`;
      const environment = (config.config?.Env ?? []).filter((one) => one.startsWith('SSL_CERT_FILE='));
      expect(environment).toHaveLength(1);
      const wrapped = `process.env.SSL_CERT_FILE = ${JSON.stringify(environment[0]?.split('=')[1])};${code}`;
      expect(await run(['-e', wrapped], ['/nodejs/bin/node'])).toMatch(/^(127\.0\.0\.1|::1) true\n$/);
    });
  });
}

describe('scripts/image', () => {
  test.each([
    ['--output=zip:x', '--output is "zip:x": write oci-archive:FILE or docker-archive:FILE'],
    ['--engine=kaniko', '--engine is "kaniko": known are buildah, podman, docker'],
    ['--platform=linux/386', '--platform is "linux/386": known are linux/amd64, linux/arm64'],
    ['--push=helper', '"helper" is not the name of an image: write HOST/PATH:TAG'],
    ['--fast', "Unknown option '--fast'"],
  ])('%s is wrong usage, said in one sentence', async (flag, sentence) => {
    const failure = (await execute(process.execPath, ['scripts/image.ts', flag]).catch((error: unknown) => error)) as {
      code: number;
      stderr: string;
    };
    expect(failure.code).toBe(2);
    expect(failure.stderr.split('\n')[0]).toContain(sentence);
  });

  test('tells all of its options', async () => {
    const { stdout } = await execute(process.execPath, ['scripts/image.ts', '--help']);
    expect(stdout).toMatch(/^Usage: scripts\/image/);
  });
});
