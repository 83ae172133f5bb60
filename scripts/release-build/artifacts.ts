// Artifacts beside images in a registry: the chart, and what refers to an image, such as its bill of materials.
import type { RegistrySession } from '../../test/support/control-plane/oci-session.ts';
import type { BuildFacts } from '../image-build/build-facts.ts';
import { describe, digestOf, INDEX, MANIFEST, type Descriptor } from '../image-build/layout.ts';
import { pushBlob, pushManifest } from '../image-build/push.ts';
import type { PackagedChart } from './chart.ts';

const EMPTY = Buffer.from('{}');
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

/** An artifact of one layer. */
export interface Artifact {
  readonly manifest: Buffer;
  readonly digest: string;
  readonly artifactType: string;
  readonly contents: readonly Buffer[];
}

/** The chart as Helm keeps charts in registries. */
export function chartArtifact(
  { content, metadata, name }: PackagedChart,
  facts: BuildFacts,
  source: string | undefined,
): Artifact {
  const artifactType = 'application/vnd.cncf.helm.config.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe(artifactType, metadata),
    layers: [describe('application/vnd.cncf.helm.chart.content.v1.tar+gzip', content)],
    annotations: {
      'org.opencontainers.image.title': name,
      ...chartAnnotations(JSON.parse(metadata.toString()) as ChartMetadata),
      ...(source === undefined ? {} : { 'org.opencontainers.image.source': source }),
      ...annotationsOf(facts),
    },
  };
  return toArtifact(manifest, artifactType, [metadata, content]);
}

/** A file that refers to an image: registries find it by the image's digest. */
export function referringArtifact(
  subject: Descriptor,
  {
    artifactType,
    content,
    facts,
  }: { readonly artifactType: string; readonly content: string; readonly facts: BuildFacts },
): Artifact {
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType,
    config: describe(EMPTY_TYPE, EMPTY),
    layers: [describe(artifactType, content)],
    subject: { mediaType, digest, size },
    annotations: annotationsOf(facts),
  };
  return toArtifact(manifest, artifactType, [EMPTY, Buffer.from(content)]);
}

/** Pushes an artifact under a tag or, without one, by its digest; true when the registry lists what refers to an image. */
export async function pushArtifact(
  session: RegistrySession,
  repository: string,
  { contents, digest, manifest }: Artifact,
  tag?: string,
): Promise<boolean> {
  for (const content of contents) await pushBlob(session, repository, digestOf(content), () => content);
  return pushManifest(session, { repository, reference: tag ?? digest, mediaType: MANIFEST }, manifest);
}

/**
 * Lists an artifact under the tag that stands for "what refers to this image" in registries that keep no such list themselves
 * (OCI distribution specification 1.1, referrers tag schema). Nothing is pushed when it is listed.
 */
export async function listReferrer(
  session: RegistrySession,
  repository: string,
  subject: Descriptor,
  { manifest, artifactType, digest }: Artifact,
): Promise<void> {
  const reference = subject.digest.replace(':', '-');
  const headers = { accept: INDEX };
  const path = `/v2/${repository}/manifests/${reference}`;
  const { status, body } = await session.call({ method: 'GET', path, headers }, [200, 404]);
  const listed = status === 404 ? [] : (JSON.parse(body.toString()) as { readonly manifests: Descriptor[] }).manifests;
  if (listed.some((one) => one.digest === digest)) return;
  const manifests = [...listed, { ...describe(MANIFEST, manifest), artifactType }];
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await pushManifest(session, { repository, reference, mediaType: INDEX }, index);
}

/** What Chart.yaml holds, as far as it is read. */
interface ChartMetadata {
  readonly description?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the image says of itself by labels (OCI image specification, annotations). */
function chartAnnotations({ description, annotations = {} }: ChartMetadata): Readonly<Record<string, string>> {
  const licence = annotations['artifacthub.io/license'];
  return {
    ...(description === undefined ? {} : { 'org.opencontainers.image.description': description }),
    ...(licence === undefined ? {} : { 'org.opencontainers.image.licenses': licence }),
  };
}

function toArtifact(manifest: unknown, artifactType: string, contents: readonly Buffer[]): Artifact {
  const content = Buffer.from(JSON.stringify(manifest));
  return { manifest: content, digest: digestOf(content), artifactType, contents };
}

function annotationsOf({ version, revision, epoch }: BuildFacts): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.created': new Date(epoch * 1000).toISOString(),
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': revision,
  };
}
