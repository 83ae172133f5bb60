// The base images that the Dockerfile names, whether a registry that has them is reached, and their digests.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openRegistrySession } from '../../test/support/control-plane/oci-session.ts';
import { ROOT } from './build-facts.ts';
import { digestOf, INDEX, MANIFEST } from './layout.ts';

/** By the name of the argument in the Dockerfile: `BUILD_IMAGE`, `RUN_IMAGE`. */
export type BaseImages = Readonly<Record<string, string>>;

const REACH_MS = 5_000;
/** Answers of a registry to somebody it does not know. */
const REGISTRY_ANSWERS: readonly number[] = [200, 401];
const LISTS = [INDEX, 'application/vnd.docker.distribution.manifest.list.v2+json'];
const MANIFESTS = [...LISTS, MANIFEST, 'application/vnd.docker.distribution.manifest.v2+json'].join(', ');

/** What the Dockerfile builds on unless told. */
export function defaultBaseImages(): BaseImages {
  const text = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm)].map(([, name = '', image = '']) => [name, image]),
  );
}

/** A reference taken apart. */
export interface ImageName {
  readonly host: string;
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
}

/** Takes `HOST/PATH:TAG` or `HOST/PATH@DIGEST` apart; the host has to be there. Throws when it is none of these. */
export function parseImageName(image: string): ImageName {
  const match = /^([\w.-]+(?::\d+)?)\/([a-z0-9._/-]+?)(?::([\w][\w.-]*)|@(sha256:[0-9a-f]{64}))?$/.exec(image);
  const [, host, repository, tag, digest] = match ?? [];
  if (host === undefined || repository === undefined || !/[.:]|^localhost$/.test(host))
    throw new Error(`${JSON.stringify(image)} is not the name of an image: write HOST/PATH:TAG`);
  return { host, repository, reference: digest ?? tag ?? 'latest' };
}

/** The registries of images that do not answer as registries do from here. */
export async function unreachedRegistries(images: BaseImages): Promise<readonly string[]> {
  const hosts = [...new Set(Object.values(images).map((image) => registryOf(parseImageName(image).host)))];
  const reached = await Promise.all(
    hosts.map((host) =>
      fetch(`https://${host}/v2/`, { signal: AbortSignal.timeout(REACH_MS) }).then(
        ({ status }) => REGISTRY_ANSWERS.includes(status),
        () => false,
      ),
    ),
  );
  return hosts.filter((_, index) => reached[index] !== true);
}

/** The same images by digest, as their registries have them now. Throws when one has it not. */
export async function pinBaseImages(images: BaseImages): Promise<BaseImages> {
  const pinned = Object.entries(images).map(async ([name, image]) => {
    const { host, repository, reference } = parseImageName(image);
    if (reference.startsWith('sha256:')) return [name, image];
    const session = openRegistrySession({ registryUrl: `https://${registryOf(host)}` });
    try {
      const path = `/v2/${repository}/manifests/${reference}`;
      const { body } = await session.call({ method: 'GET', path, headers: { accept: MANIFESTS } }, [200]);
      return [name, `${host}/${repository}@${digestOf(body)}`];
    } finally {
      await session.close();
    }
  });
  return Object.fromEntries(await Promise.all(pinned)) as BaseImages;
}

/** docker.io is the name in images, not that of the registry. */
function registryOf(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host;
}
