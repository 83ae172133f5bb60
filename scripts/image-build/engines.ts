// The programs that can build a Dockerfile: which of them works here, and how each is told to.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createRunFolder } from '../../test/support/control-plane/run-folder.ts';
import { installHint, installPackages } from '../prepare.mjs';
import { ROOT } from './build-facts.ts';
import { readLayout, writeDockerArchive } from './layout.ts';
import type { NpmAccess } from './npm-access.ts';
import { outputOf, runLong, succeeds } from './output-of.ts';

/** What builds. */
export type EngineName = 'buildah' | 'podman' | 'docker';

/** In the order in which they are looked for. */
export const ENGINES: readonly EngineName[] = ['buildah', 'podman', 'docker'];

/** What shall be built. */
export interface BuildOrder {
  readonly engine: EngineName;
  /** `linux/amd64`, …; one or several. */
  readonly platforms: readonly string[];
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970 that every file and the image bear. */
  readonly epoch: number;
  readonly npm: NpmAccess;
  /** Layouts of images that no registry has, by name. */
  readonly localImages: Readonly<Record<string, string>>;
  /** A folder for everything that is kept meanwhile. */
  readonly scratch: string;
}

/** How an engine shows that it works here; `store` are flags of a place for what it keeps. */
const PROBES: Readonly<Record<EngineName, (store: readonly string[]) => readonly (readonly string[])[]>> = {
  buildah: (store) => [[...store, 'info']],
  podman: (store) => [[...store, 'info']],
  // Its own builder writes no layouts: another one has to be in use, or the image store of containerd.
  docker: () => [['info'], ['buildx', 'version']],
};

/** An engine that works here, installed where that is allowed; `why` says what is missing otherwise. */
export async function findEngine(
  wanted?: EngineName,
): Promise<{ readonly engine: EngineName } | { readonly why: string }> {
  const names = wanted === undefined ? ENGINES : [wanted];
  const find = async (): Promise<EngineName | undefined> => {
    const folder = await createRunFolder('engine');
    try {
      for (const name of names) {
        const answers = await Promise.all(PROBES[name](storeIn(folder.path)).map((args) => succeeds(name, args)));
        if (!answers.includes(false)) return name;
      }
      return undefined;
    } finally {
      await folder.remove();
    }
  };
  const canInstall = names.includes('buildah');
  const engine = (await find()) ?? (canInstall && installPackages(['buildah']) ? await find() : undefined);
  if (engine !== undefined) return { engine };
  const hint = canInstall ? `: install buildah${installHint(['buildah'])}` : '';
  return {
    why: `No image can be built: ${names.join(', ')} ${names.length === 1 ? 'does' : 'do'} not work here${hint}.`,
  };
}

/** Builds the Dockerfile; returns the folder of the layout. Throws with the end of what the engine said. */
export async function buildLayout(order: BuildOrder): Promise<string> {
  const layout = path.join(order.scratch, 'layout');
  await (order.engine === 'docker' ? buildWithDocker(order, layout) : buildWithContainers(order, layout));
  return layout;
}

/** buildah and podman, whose commands are the same; in a store of their own, which goes with the scratch folder. */
async function buildWithContainers(order: BuildOrder, layout: string): Promise<void> {
  const { engine, scratch, platforms, npm } = order;
  const name = 'localhost/registry-credential-helper:build';
  const store = storeIn(scratch);
  for (const [reference, folder] of Object.entries(order.localImages)) {
    // Of a layout, the name would be made of its path, and be refused for capital letters in there.
    const file = `${folder}.tar`;
    await writeDockerArchive(readLayout(folder), file, reference);
    await outputOf(engine, [...store, 'pull', '--quiet', `docker-archive:${file}`]);
    await rm(file);
  }
  const several = platforms.length > 1;
  await runLong({
    what: `the image with ${engine}`,
    command: engine,
    args: [
      ...[...store, 'build', '--isolation=chroot', '--format=oci', '--layers=false', '--identity-label=false'],
      ...[`--timestamp=${order.epoch}`, `--platform=${platforms.join(',')}`],
      ...[several ? `--manifest=${name}` : `--tag=${name}`, `--volume=${npm.cache}:/root/.npm`],
      ...commonArguments(order),
    ],
    logFile: path.join(scratch, 'build.log'),
  });
  const push = several ? ['manifest', 'push', '--all'] : ['push'];
  await runLong({
    what: 'the layout',
    command: engine,
    args: [...store, ...push, name, `oci:${layout}:latest`],
    logFile: path.join(scratch, 'push.log'),
  });
}

/** Flags of buildah and podman that keep images below a folder, and nothing elsewhere. */
function storeIn(folder: string): readonly string[] {
  return [
    `--root=${path.join(folder, 'store')}`,
    `--runroot=${path.join(folder, 'store-run')}`,
    '--storage-driver=vfs',
  ];
}

async function buildWithDocker(order: BuildOrder, layout: string): Promise<void> {
  const contexts = Object.entries(order.localImages).map(
    ([reference, folder]) => `--build-context=${reference}=oci-layout://${folder}`,
  );
  await runLong({
    what: 'the image with docker',
    command: 'docker',
    args: [
      ...['buildx', 'build', '--provenance=false', '--sbom=false', `--platform=${order.platforms.join(',')}`],
      ...[`--output=type=oci,tar=false,rewrite-timestamp=true,dest=${layout}`, ...contexts],
      ...[`--build-arg=SOURCE_DATE_EPOCH=${order.epoch}`, ...commonArguments(order)],
    ],
    logFile: path.join(order.scratch, 'build.log'),
    env: { ...process.env, SOURCE_DATE_EPOCH: String(order.epoch) },
  });
}

function commonArguments({ buildArguments, labels, npm }: BuildOrder): readonly string[] {
  return [
    ...Object.entries(buildArguments).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    `--secret=id=npmrc,src=${npm.npmrc}`,
    `--secret=id=npm-ca,src=${npm.ca}`,
    `--file=${path.join(ROOT, 'Dockerfile')}`,
    ROOT,
  ];
}
