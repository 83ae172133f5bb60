// A release: made whole, compared with what is in the registry, and only then pushed.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RegistrySession } from '../../test/support/control-plane/oci-session.ts';
import { findTools } from '../../test/support/control-plane/tools.ts';
import type { BaseImages } from '../image-build/base-images.ts';
import {
  buildImage,
  checkWeight,
  ownPlatform,
  rootFilesOf,
  type BuildOptions,
  type BuiltImage,
} from '../image-build/build-image.ts';
import { readBuildFacts, type BuildFacts } from '../image-build/build-facts.ts';
import {
  digestOf,
  INDEX,
  MANIFEST,
  readConfig,
  readLayout,
  writeOciArchive,
  type Layout,
} from '../image-build/layout.ts';
import { outputOf } from '../image-build/output-of.ts';
import { openPushSession, pushLayout, type PushAccess } from '../image-build/push.ts';
import { chartArtifact, listReferrer, pushArtifact, referringArtifact, type Artifact } from './artifacts.ts';
import { buildBillOfMaterials } from './bill-of-materials.ts';
import { packageChart } from './chart.ts';
import { checkReleasable, type LabelledImage } from './releasable.ts';
import { hasCosign, sign } from './sign.ts';

/** What to release and where to. */
export interface ReleaseOptions extends PushAccess, Omit<BuildOptions, 'pin'> {
  /** Path in the registry below which everything goes. */
  readonly folder: string;
  /** An oci-archive to release instead of building. */
  readonly archive?: string | undefined;
  readonly signKey?: string | undefined;
  readonly mustSign: boolean;
}

/** Everything that a release consists of. */
export interface Release {
  readonly facts: BuildFacts;
  readonly baseImages: BaseImages | undefined;
  /** References are `HOST/PATH`, without tag. */
  readonly image: { readonly reference: string; readonly repository: string; readonly layout: Layout };
  readonly chart: { readonly reference: string; readonly repository: string; readonly artifact: Artifact };
  /** One for each platform. */
  readonly bills: readonly { readonly subject: Layout['root']; readonly artifact: Artifact }[];
  /** Contents by file name. */
  readonly files: Readonly<Record<string, Buffer | string>>;
}

const BILL_TYPE = 'application/vnd.cyclonedx+json';

/**
 * Makes a release and compares it with what the registry has. Throws when the tree has changes, when the archive is of another
 * commit, for other platforms or on stand-ins that nobody asked for, and when this version is there with other content.
 */
export async function makeRelease(options: ReleaseOptions): Promise<Release> {
  const { scratch, host, folder } = options;
  const facts = await readBuildFacts();
  if (!/^[0-9a-f]{40,64}$/.test(facts.revision))
    throw new Error(`The tree is not as it was committed (${facts.revision}): commit, then release`);
  const { layout, baseImages } = await obtainImage(options, facts);
  const image = { repository: path.posix.join(folder, 'registry-credential-helper'), layout };
  const { helm4: helm } = await findTools(['helm4']);
  const { digest } = layout.root;
  const packaged = await packageChart({ facts, image: { host, repository: image.repository, digest }, helm }, scratch);
  const chart = {
    repository: path.posix.join(folder, 'charts', packaged.name),
    artifact: chartArtifact(packaged, facts, options.source),
  };

  const name = `${packaged.name}-${facts.version}`;
  const archive = path.join(scratch, 'image.oci.tar');
  await writeOciArchive(layout, archive, `${host}/${image.repository}:${facts.version}`);
  const files: Record<string, Buffer | string> = {
    [packaged.fileName]: packaged.content,
    [`${name}.oci.tar`]: await readFile(archive),
  };
  const bills = [];
  for (const { platform, descriptor } of layout.images) {
    const root = rootFilesOf(scratch, platform);
    const content = await buildBillOfMaterials({ root, digest: descriptor.digest, facts });
    files[`${name}-${platform.replace('/', '-')}.cdx.json`] = content;
    bills.push({
      subject: descriptor,
      artifact: referringArtifact(descriptor, { artifactType: BILL_TYPE, content, facts }),
    });
  }

  await withSession(options, async (session) => {
    await refuseOther(session, image.repository, facts.version, digest);
    await refuseOther(session, chart.repository, facts.version, chart.artifact.digest);
  });
  const withReference = <T extends { readonly repository: string }>(one: T) => ({
    ...one,
    reference: `${host}/${one.repository}`,
  });
  return { facts, baseImages, image: withReference(image), chart: withReference(chart), bills, files };
}

/** Pushes the image, what refers to it, the chart last; signs. What is there already stays as it is. */
export async function pushRelease(release: Release, options: ReleaseOptions): Promise<void> {
  const { facts, image, chart, bills } = release;
  const { say } = options;
  await withSession(options, async (session) => {
    await pushLayout(session, image.layout, image.repository, facts.version);
    say(`Image ${image.reference}:${facts.version}@${image.layout.root.digest}`);
    for (const { subject, artifact } of bills) {
      const isListed = await pushArtifact(session, image.repository, artifact);
      if (!isListed) await listReferrer(session, image.repository, subject, artifact);
      say(`Bill of materials of ${subject.digest}: ${artifact.digest}`);
    }
    await pushArtifact(session, chart.repository, chart.artifact, facts.version);
    say(`Chart ${chart.reference}:${facts.version}@${chart.artifact.digest}`);
  });
  const references = [`${image.reference}@${image.layout.root.digest}`, `${chart.reference}@${chart.artifact.digest}`];
  if (!options.mustSign) say('Not signed: --no-sign');
  else if (!(await hasCosign())) say('Not signed: cosign was not found');
  else await sign({ references, key: options.signKey, access: options, scratch: options.scratch });
}

async function obtainImage(
  options: ReleaseOptions,
  facts: BuildFacts,
): Promise<Pick<BuiltImage, 'layout'> & { readonly baseImages: BaseImages | undefined }> {
  const { archive: file, platforms } = options;
  const takesStandIns = options.base === 'stand-in';
  if (file === undefined) {
    const built = await buildImage({ ...options, pin: true }).catch((error: unknown) => {
      throw platforms.length === 1 ? error : withWayOut(error, platforms);
    });
    checkReleasable(labelsOf(built.layout), { name: 'The image', platforms, facts, takesStandIns });
    return built;
  }
  const folder = path.join(options.scratch, 'archive');
  await mkdir(folder);
  await outputOf('tar', ['--extract', '--file', file, '--directory', folder]);
  const layout = readLayout(folder);
  checkReleasable(labelsOf(layout), { name: file, platforms, facts, takesStandIns });
  await checkWeight(layout, options.scratch, options.say);
  return { layout, baseImages: undefined };
}

function labelsOf({ folder, images }: Layout): readonly LabelledImage[] {
  return images.map(({ config, platform }) => ({
    platform,
    labels: readConfig(folder, { config }).config?.Labels ?? {},
  }));
}

/** What to do where an engine cannot build for all of them. */
function withWayOut(error: unknown, platforms: readonly string[]): Error {
  const message = error instanceof Error ? error.message : String(error);
  const sentence = `A release is for ${platforms.join(' and ')}; one that shall be for fewer needs --platform, e.g. --platform=${ownPlatform()}.`;
  return new Error(`${message}\n${sentence}`, { cause: error });
}

/** What a version once held, it holds for ever. */
async function refuseOther(
  session: RegistrySession,
  repository: string,
  version: string,
  digest: string,
): Promise<void> {
  const path = `/v2/${repository}/manifests/${version}`;
  const headers = { accept: [MANIFEST, INDEX].join(', ') };
  const { status, body } = await session.call({ method: 'GET', path, headers }, [200, 404]);
  if (status === 404 || digestOf(body) === digest) return;
  throw new Error(
    `${repository}:${version} is released as ${digestOf(body)}, and this would be ${digest}: raise the version in package.json and Chart.yaml`,
  );
}

async function withSession(access: PushAccess, work: (session: RegistrySession) => Promise<void>): Promise<void> {
  const session = await openPushSession(access);
  try {
    await work(session);
  } finally {
    await session.close();
  }
}
