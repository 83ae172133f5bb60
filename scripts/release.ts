// Builds image and chart of this version, and pushes both with bill of materials and signature. Started by `scripts/release`.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createRunFolder } from '../test/support/control-plane/run-folder.ts';
import { parseImageName } from './image-build/base-images.ts';
import { PLATFORMS, readEngine, readPlatforms } from './image-build/choices.ts';
import { explainRefusal } from './image-build/push.ts';
import { makeRelease, pushRelease, type Release, type ReleaseOptions } from './release-build/make-release.ts';

const HELP = `Usage: scripts/release --registry HOST/PATH [options]

Builds image and chart of the version in package.json and pushes them to an OCI registry: the image as
HOST/PATH/registry-credential-helper, a bill of materials for each platform that refers to it, the chart, whose values name the
image by digest, as HOST/PATH/charts/registry-credential-helper; signed where cosign is there. A version that is released is never
changed: the same again does nothing, other content is refused. The tree has to be as it was committed.

  --registry <host/path>  where to; as REGISTRY_USERNAME with REGISTRY_PASSWORD, or as docker and podman log in
  --plain-http            that registry is not encrypted
  --ca-file <file>        PEM file with the authority of that registry
  --output <folder>       gets image (an oci-archive), chart, bills of materials and release.json, with all
                          digests (default dist/release)
  --image <archive>       release this oci-archive, which scripts/image made of the same commit, instead of building
  --stand-in              build on base images made of files of this machine, or take an --image that is; for its platform alone,
                          which has to be named: for trying out, not for others
  --platform <list>       what it is for, and no other (default ${PLATFORMS.join(',')})
  --source <url>          where the sources are, for the image's label
  --engine <name>         as of scripts/image
  --sign-key <key>        the key for cosign; without it, cosign asks the identity of who runs it
  --no-sign               sign nothing, though cosign is there
  --dry-run               build and compare, push nothing
  -h, --help              this text

Exit code: 0 = released, or it was already; 1 = failed or refused, 2 = wrong usage.
`;

interface Options extends Omit<ReleaseOptions, 'scratch' | 'say'> {
  readonly output: string;
  readonly dryRun: boolean;
}

const options = readOptions();
if (options !== undefined) await run(options);

async function run(options: Options): Promise<void> {
  const folder = await createRunFolder('release');
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  try {
    const release = await makeRelease({ ...options, scratch: folder.path, say });
    await writeFiles(options.output, release);
    say(`Wrote ${options.output}: ${[...Object.keys(release.files), 'release.json'].join(', ')}`);
    if (options.dryRun) say('Nothing was pushed: --dry-run');
    else await pushRelease(release, { ...options, scratch: folder.path, say });
    process.stdout.write(
      `helm install registry-credential-helper oci://${release.chart.reference} --version ${release.facts.version}\n`,
    );
  } catch (error) {
    say(explainRefusal(error, options.host).message);
    process.exitCode = 1;
  } finally {
    await folder.remove();
  }
}

async function writeFiles(folder: string, release: Release): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(release.files)) await writeFile(path.join(folder, name), content);
  const { facts, image, chart, baseImages } = release;
  const record = {
    ...facts,
    image: { reference: image.reference, digest: image.layout.root.digest },
    chart: { reference: chart.reference, digest: chart.artifact.digest },
    baseImages,
  };
  await writeFile(path.join(folder, 'release.json'), `${JSON.stringify(record, undefined, 2)}\n`);
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        registry: { type: 'string' },
        'plain-http': { type: 'boolean', default: false },
        'ca-file': { type: 'string' },
        output: { type: 'string', default: 'dist/release' },
        image: { type: 'string' },
        'stand-in': { type: 'boolean', default: false },
        platform: { type: 'string', default: PLATFORMS.join(',') },
        source: { type: 'string' },
        engine: { type: 'string' },
        'sign-key': { type: 'string' },
        'no-sign': { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      return undefined;
    }
    if (values.registry === undefined) throw new Error('--registry is missing: where shall the release go?');
    const { host, repository } = parseImageName(`${values.registry}/registry-credential-helper`);
    return {
      host,
      folder: path.posix.dirname(repository),
      ...{ plainHttp: values['plain-http'], caFile: values['ca-file'], output: path.resolve(values.output) },
      ...{ archive: values.image, base: values['stand-in'] ? 'stand-in' : 'registry', source: values.source },
      platforms: readPlatforms(values.platform),
      engine: readEngine(values.engine),
      ...{ signKey: values['sign-key'], mustSign: !values['no-sign'], dryRun: values['dry-run'] },
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exitCode = 2;
    return undefined;
  }
}
