// Builds the image of the program and hands it over as an archive, to a registry, or both. Started by `scripts/image`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createRunFolder } from '../test/support/control-plane/run-folder.ts';
import { parseImageName } from './image-build/base-images.ts';
import { buildImage, ownPlatform, type BaseChoice, type BuiltImage } from './image-build/build-image.ts';
import { oneOf, readEngine, readPlatforms } from './image-build/choices.ts';
import { ENGINES } from './image-build/engines.ts';
import { writeDockerArchive, writeOciArchive } from './image-build/layout.ts';
import { explainRefusal, openPushSession, pushLayout } from './image-build/push.ts';

const HELP = `Usage: scripts/image [options]

Builds the Dockerfile with buildah, podman or docker, whichever works here, and prints what the image weighs. The same sources
give the same image: files bear the time of the commit (or SOURCE_DATE_EPOCH).

  --output <where>    oci-archive:FILE or docker-archive:FILE; may be given several times
  --name <name:tag>   the name that archives bear (default registry-credential-helper:VERSION)
  --push <image>      push to HOST/PATH:TAG, as REGISTRY_USERNAME with REGISTRY_PASSWORD, or as docker and podman log in
  --plain-http        that registry is not encrypted
  --ca-file <file>    PEM file with the authority of that registry
  --engine <name>     ${ENGINES.join(', ')} (default: the first that works)
  --base <which>      registry: the base images that the Dockerfile names. stand-in: made of the project's Node and files of this
                      machine, which has to be Debian. auto (default): stand-in where a registry is not reached
  --platform <list>   linux/amd64,linux/arm64 (default: that of this machine)
  --source <url>      where the sources are, for the image's label
  --json              print {"reference", "digest", "platforms"} as the only thing on standard output
  -h, --help          this text

How this machine reaches npm (registry, login, proxy, authorities) is taken from npm's settings; none of it gets into the image.
Exit code: 0 = built, 1 = failed or too large, 2 = wrong usage.
`;

const options = readOptions();
if (options !== undefined) await run(options);

type Options = NonNullable<ReturnType<typeof readOptions>>;

async function run(options: Options): Promise<void> {
  const folder = await createRunFolder('image');
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  try {
    const built = await buildImage({ ...options, scratch: folder.path, say });
    const reference = options.name ?? `registry-credential-helper:${built.facts.version}`;
    for (const { kind, file } of options.outputs) {
      await (kind === 'docker-archive' ? writeDockerArchive : writeOciArchive)(built.layout, file, reference);
      say(`Wrote ${file}`);
    }
    if (options.push !== undefined) await push(options, built, options.push);
    process.stdout.write(options.json ? `${JSON.stringify(summary(built, reference))}\n` : '');
  } catch (error) {
    say((error as Error).message);
    process.exitCode = 1;
  } finally {
    await folder.remove();
  }
}

async function push({ plainHttp, caFile }: Options, { layout }: BuiltImage, image: string): Promise<void> {
  const { host, repository, reference } = parseImageName(image);
  const session = await openPushSession({ host, plainHttp, caFile });
  try {
    await pushLayout(session, layout, repository, reference);
  } catch (error) {
    throw explainRefusal(error, host);
  } finally {
    await session.close();
  }
  process.stderr.write(`Pushed ${host}/${repository}:${reference}@${layout.root.digest}\n`);
}

function summary({ layout }: BuiltImage, reference: string): unknown {
  const platforms = layout.images.map(({ platform, descriptor }) => [platform, descriptor.digest]);
  return { reference, digest: layout.root.digest, platforms: Object.fromEntries(platforms) as unknown };
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        output: { type: 'string', multiple: true, default: [] },
        name: { type: 'string' },
        push: { type: 'string' },
        'plain-http': { type: 'boolean', default: false },
        'ca-file': { type: 'string' },
        engine: { type: 'string' },
        base: { type: 'string', default: 'auto' },
        platform: { type: 'string', default: ownPlatform() },
        source: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(HELP);
      return undefined;
    }
    const { engine, base, output, platform, name, push, source, json } = values;
    if (push !== undefined) parseImageName(push);
    return {
      outputs: output.map(parseOutput),
      ...{ name, push, source, json, plainHttp: values['plain-http'], caFile: values['ca-file'] },
      engine: readEngine(engine),
      base: oneOf<BaseChoice>('--base', base, ['auto', 'registry', 'stand-in']),
      platforms: readPlatforms(platform),
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exitCode = 2;
    return undefined;
  }
}

function parseOutput(output: string): { readonly kind: 'docker-archive' | 'oci-archive'; readonly file: string } {
  const [, kind, file] = /^(oci-archive|docker-archive):(.+)$/.exec(output) ?? [];
  if (kind === undefined || file === undefined)
    throw new Error(`--output is ${JSON.stringify(output)}: write oci-archive:FILE or docker-archive:FILE`);
  return { kind: kind as 'docker-archive' | 'oci-archive', file: path.resolve(file) };
}
