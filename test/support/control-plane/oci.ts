// Pushes and pulls small images over a registry's API: what a node does with the credentials of a pull secret.
import { isRecord } from './json.ts';
import { buildImage, digestOf, type LocalImage } from './oci-image.ts';
import { openRegistrySession, RegistryRefusal } from './oci-session.ts';
import type { RefusalReason, RegistryAccess, RegistrySession } from './oci-session.ts';

/** An image of a registry, and who asks for it. */
export interface ImageAccess extends RegistryAccess {
  /** Without the registry's host, for instance `team/app`. */
  readonly repository: string;
  readonly tag: string;
}

/** How a pull or push ended. `status` is the HTTP status of the call that failed, if there was an answer. */
export type ImageResult =
  | { readonly ok: true; readonly manifestDigest: string; readonly bytes: number }
  | {
      readonly ok: false;
      readonly status: number | undefined;
      readonly reason: RefusalReason;
      /** What the registry said. */
      readonly message: string;
    };

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** Pushes an image, which is one with a single small file unless told. */
export function pushImage(image: ImageAccess, local: LocalImage = smallImage(image)): Promise<ImageResult> {
  const { config, layer } = local;
  return inSession(image, async (session) => {
    await pushBlob(session, image.repository, config);
    await pushBlob(session, image.repository, layer);
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: descriptor(CONFIG, config),
        layers: [descriptor(LAYER, layer)],
      }),
    );
    const path = `/v2/${image.repository}/manifests/${image.tag}`;
    await session.call({ method: 'PUT', path, headers: { 'content-type': MANIFEST }, body: manifest }, [201]);
    return { manifestDigest: digestOf(manifest), bytes: manifest.length + config.length + layer.length };
  });
}

/** Pulls the manifest, the config and every layer, and checks their digests and sizes. */
export function pullImage(image: ImageAccess): Promise<ImageResult> {
  return inSession(image, async (session) => {
    const path = `/v2/${image.repository}/manifests/${image.tag}`;
    const manifest = await session.call({ method: 'GET', path, headers: { accept: MANIFEST } }, [200]);
    const manifestDigest = digestOf(manifest.body);
    check(manifest.header('docker-content-digest') ?? manifestDigest, manifest.body);
    let bytes = manifest.body.length;
    for (const { digest, size } of readDescriptors(manifest.body)) {
      const blob = await session.call({ method: 'GET', path: `/v2/${image.repository}/blobs/${digest}` }, [200]);
      check(digest, blob.body, size);
      bytes += blob.body.length;
    }
    return { manifestDigest, bytes };
  });
}

async function inSession(
  image: ImageAccess,
  work: (session: RegistrySession) => Promise<{ readonly manifestDigest: string; readonly bytes: number }>,
): Promise<ImageResult> {
  const session = openRegistrySession(image);
  try {
    return { ok: true, ...(await work(session)) };
  } catch (error) {
    if (!(error instanceof RegistryRefusal)) throw error;
    return { ok: false, status: error.status, reason: error.reason, message: error.message };
  } finally {
    await session.close();
  }
}

async function pushBlob(session: RegistrySession, repository: string, blob: Buffer): Promise<void> {
  const started = await session.call({ method: 'POST', path: `/v2/${repository}/blobs/uploads/` }, [202]);
  const location = started.header('location');
  if (location === undefined) throw new RegistryRefusal('NoUploadLocation', started.status, 'upload without Location');
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digestOf(blob))}`;
  const headers = { 'content-type': 'application/octet-stream' };
  await session.call({ method: 'PUT', path, headers, body: blob }, [201]);
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function descriptor(mediaType: string, content: Buffer): Descriptor {
  return { mediaType, digest: digestOf(content), size: content.length };
}

function readDescriptors(manifest: Buffer): readonly Descriptor[] {
  const parsed: unknown = JSON.parse(manifest.toString('utf8'));
  if (!isRecord(parsed) || !Array.isArray(parsed.layers)) throw new Error('Not an image manifest');
  return [parsed.config, ...(parsed.layers as unknown[])] as Descriptor[];
}

function check(digest: string, content: Buffer, size = content.length): void {
  if (digestOf(content) === digest && content.length === size) return;
  throw new RegistryRefusal('DigestMismatch', 200, `content is not ${digest}`);
}

function smallImage({ repository, tag }: ImageAccess): LocalImage {
  return buildImage({ files: [{ path: 'hello.txt', content: Buffer.from(`${repository}:${tag}`) }] });
}
