// From the working tree to a layout: facts, base images, engine, and the check of what came out.
import path from 'node:path';
import { defaultBaseImages, pinBaseImages, unreachedRegistries, type BaseImages } from './base-images.ts';
import { readBuildFacts, type BuildFacts } from './build-facts.ts';
import { listFiles, megabytes, tooHeavy, weigh } from './contents.ts';
import { buildLayout, findEngine, type EngineName } from './engines.ts';
import { readLayout, unpack, type Layout } from './layout.ts';
import { writeNpmAccess } from './npm-access.ts';
import { makeStandIns, STAND_INS } from './stand-in.ts';

/** Where base images come from: `auto` takes stand-ins where a registry is not reached, `registry` fails there. */
export type BaseChoice = 'auto' | 'registry' | 'stand-in';

/** How to build. */
export interface BuildOptions {
  readonly engine?: EngineName | undefined;
  readonly base: BaseChoice;
  /** Build on what the tags mean now, by digest. */
  readonly pin?: boolean;
  readonly platforms: readonly string[];
  /** URL of the sources, for the label. */
  readonly source?: string | undefined;
  /** A folder that is removed later. */
  readonly scratch: string;
  /** Told in sentences what is done. */
  readonly say: (sentence: string) => void;
}

/** What was built. */
export interface BuiltImage {
  readonly facts: BuildFacts;
  readonly baseImages: BaseImages;
  readonly layout: Layout;
}

/** Builds the image. Throws when no engine is there, when one fails, and when the image is too large. */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const { scratch, say, platforms } = options;
  const found = await findEngine(options.engine);
  if ('why' in found) throw new Error(found.why);
  const facts = await readBuildFacts();
  const useStandIns = options.base === 'stand-in' || (options.base === 'auto' && (await mustStandIn(say)));
  if (useStandIns && platforms.some((platform) => platform !== ownPlatform()))
    throw new Error(
      `Stand-in base images are of this machine's platform and no other: ask for that alone, with --platform=${ownPlatform()}`,
    );
  const localImages = useStandIns ? await makeStandIns(path.join(scratch, 'stand-in')) : {};
  const names = useStandIns ? { BUILD_IMAGE: STAND_INS.build, RUN_IMAGE: STAND_INS.run } : defaultBaseImages();
  const baseImages = !useStandIns && options.pin === true ? await pinBaseImages(names) : names;
  const { version, revision, epoch } = facts;
  say(`Building version ${version} of ${revision} on ${Object.values(baseImages).join(' and ')}`);
  const folder = await buildLayout({
    engine: found.engine,
    platforms,
    buildArguments: { ...baseImages, VERSION: version, REVISION: revision },
    labels: {
      'org.opencontainers.image.created': new Date(epoch * 1000).toISOString(),
      ...baseLabels(baseImages.RUN_IMAGE ?? ''),
      ...(options.source === undefined ? {} : { 'org.opencontainers.image.source': options.source }),
    },
    epoch,
    npm: await writeNpmAccess(scratch),
    localImages,
    scratch,
  });
  const layout = readLayout(folder);
  await checkWeight(layout, scratch, say);
  return { facts, baseImages, layout };
}

/** What the image is built on, by name and, where that is pinned, by digest. */
export function baseLabels(image: string): Readonly<Record<string, string>> {
  const [, digest] = image.split('@');
  const name = { 'org.opencontainers.image.base.name': image };
  return digest === undefined ? name : { ...name, 'org.opencontainers.image.base.digest': digest };
}

/** Says what each platform's image weighs. Throws with a sentence for each bound that is exceeded. */
export async function checkWeight(layout: Layout, scratch: string, say: BuildOptions['say']): Promise<void> {
  for (const image of layout.images) {
    const root = rootFilesOf(scratch, image.platform);
    await unpack(layout.folder, image, root);
    const weight = weigh(listFiles(root));
    say(
      `${image.platform}: ${megabytes(weight.total)} uncompressed, of which ${megabytes(weight.ours)} are ours; ${image.descriptor.digest}`,
    );
    const sentences = tooHeavy(weight);
    if (sentences.length > 0) throw new Error(sentences.join('\n'));
  }
}

/** Where `checkWeight` unpacks the image of a platform. */
export function rootFilesOf(scratch: string, platform: string): string {
  return path.join(scratch, 'files', platform.replace('/', '-'));
}

/** `linux/amd64`. */
export function ownPlatform(): string {
  return `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

async function mustStandIn(say: BuildOptions['say']): Promise<boolean> {
  const unreached = await unreachedRegistries(defaultBaseImages());
  if (unreached.length > 0)
    say(
      `${unreached.join(' and ')} cannot be reached: building on stand-in base images, made of Node and files of this Debian`,
    );
  return unreached.length > 0;
}
