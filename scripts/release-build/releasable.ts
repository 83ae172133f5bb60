// Whether an image may be released: it is of this commit, for the platforms that are wanted, and on base images that somebody keeps up to date.
import type { BuildFacts } from '../image-build/build-facts.ts';

/** The image of one platform, by what it says of itself. */
export interface LabelledImage {
  /** `linux/amd64`. */
  readonly platform: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What shall be released. */
export interface WantedImage {
  /** How it is called where it is refused: a file, or `The image`. */
  readonly name: string;
  readonly platforms: readonly string[];
  readonly facts: Pick<BuildFacts, 'version' | 'revision'>;
  /** It is for trying out: base images made of files of some machine will do. */
  readonly takesStandIns: boolean;
}

/** Throws, with one sentence, when it must not be. */
export function checkReleasable(images: readonly LabelledImage[], wanted: WantedImage): void {
  for (const image of images) {
    const { platform, labels } = image;
    const [version, revision] = [
      labels['org.opencontainers.image.version'],
      labels['org.opencontainers.image.revision'],
    ];
    if (version !== wanted.facts.version || revision !== wanted.facts.revision)
      throw new Error(
        `${wanted.name} (${platform}) is version ${String(version)} of ${String(revision)}, not ${wanted.facts.version} of ${wanted.facts.revision}: build it again`,
      );
    const base = labels['org.opencontainers.image.base.name'] ?? '';
    if (!wanted.takesStandIns && isOfOneMachine(base))
      throw new Error(
        `${wanted.name} (${platform}) is built on ${base === '' ? 'what it does not name' : base}, which nobody keeps up to date: build it where the registries of its base images are reached, or say with --stand-in that it is for trying out`,
      );
  }
  const platforms = images.map(({ platform }) => platform);
  const isAs = (some: readonly string[], others: readonly string[]): boolean =>
    some.every((one) => others.includes(one));
  if (!isAs(wanted.platforms, platforms) || !isAs(platforms, wanted.platforms))
    throw new Error(
      `${wanted.name} is for ${platforms.join(' and ')}, and ${wanted.platforms.join(' and ')} shall be released: build it for those, or name what it is for with --platform=${platforms.join(',')}`,
    );
}

/** No registry has it. */
function isOfOneMachine(base: string): boolean {
  return base === '' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])[:/]/.test(base);
}
