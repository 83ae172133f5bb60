// The chart of a release: a copy whose values name the image by digest, packaged by Helm, the same archive every time.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { load } from 'js-yaml';
import { ROOT, type BuildFacts } from '../image-build/build-facts.ts';
import { archive } from '../image-build/layout.ts';
import { outputOf } from '../image-build/output-of.ts';

/** The image that the chart shall install. */
export interface PinnedImage {
  /** `HOST` or `HOST:PORT`. */
  readonly host: string;
  readonly repository: string;
  readonly digest: string;
}

/** A packaged chart. */
export interface PackagedChart {
  readonly name: string;
  /** `NAME-VERSION.tgz`. */
  readonly fileName: string;
  readonly content: Buffer;
  /** Its Chart.yaml as JSON, which registries keep beside it. */
  readonly metadata: Buffer;
}

/**
 * Packages the chart. Throws when its version is not that of the program, when Helm finds fault with it, and when its values have
 * no place for the image.
 */
export async function packageChart(
  { facts, image, helm }: { readonly facts: BuildFacts; readonly image: PinnedImage; readonly helm: string },
  scratch: string,
): Promise<PackagedChart> {
  const name = 'registry-credential-helper';
  const copy = path.join(scratch, 'chart', name);
  await cp(path.join(ROOT, 'charts', name), copy, { recursive: true });
  const metadata = load(await readFile(path.join(copy, 'Chart.yaml'), 'utf8')) as Readonly<Record<string, unknown>>;
  for (const field of ['version', 'appVersion'])
    if (metadata[field] !== facts.version)
      throw new Error(
        `Chart.yaml has ${field} ${String(metadata[field])}, package.json ${facts.version}: make them equal`,
      );
  const valuesFile = path.join(copy, 'values.yaml');
  await writeFile(valuesFile, pinImage(await readFile(valuesFile, 'utf8'), image));
  await outputOf(helm, ['lint', '--strict', copy]);
  // Helm knows what its ignore file leaves out; the times of files and the order are ours.
  const packed = path.join(scratch, 'packed');
  const files = path.join(scratch, 'chart-files');
  await mkdir(packed, { recursive: true });
  await mkdir(files, { recursive: true });
  await outputOf(helm, ['package', copy, '--destination', packed]);
  const [fileName = ''] = await readdir(packed);
  await outputOf('tar', ['--extract', '--file', path.join(packed, fileName), '--directory', files]);
  await outputOf('chmod', ['-R', 'u=rwX,go=rX', files]);
  await archive(files, path.join(scratch, 'chart.tar'), facts.epoch);
  const content = gzipSync(await readFile(path.join(scratch, 'chart.tar')), { level: 9 });
  return { name, fileName, content, metadata: Buffer.from(JSON.stringify(metadata)) };
}

/** The text of values.yaml with another image, everything else as it is. Throws when it has no place for that. */
export function pinImage(values: string, { host, repository, digest }: PinnedImage): string {
  const hasRegistry = 'registry' in imageOf(values);
  const wanted = hasRegistry ? { registry: host, repository, digest } : { repository: `${host}/${repository}`, digest };
  let section = '';
  const lines = values.split('\n').map((line) => {
    section = /^(\w+):/.exec(line)?.[1] ?? section;
    const key = /^ {2}(\w+):/.exec(line)?.[1] ?? '';
    return section === 'image' && key in wanted ? `  ${key}: ${wanted[key as keyof typeof wanted] ?? ''}` : line;
  });
  const text = lines.join('\n');
  for (const [key, value] of Object.entries(wanted))
    if (imageOf(text)[key] !== value) throw new Error(`values.yaml of the chart has no line for image.${key}: add one`);
  return text;
}

function imageOf(values: string): Readonly<Record<string, unknown>> {
  return (load(values) as { readonly image?: Readonly<Record<string, unknown>> }).image ?? {};
}
