// Every values file on every version of Kubernetes, against what it rendered before: a change of the chart is seen in a review.
// `UPDATE_GOLDEN=1` before the command of this suite writes test/chart/golden anew.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHelm, EVERY_VALUE, valuesFiles, type Helm } from './helm.ts';

const BUILD_MS = 900_000;
const FOLDER = fileURLToPath(new URL('golden', import.meta.url));
const VERSIONS = ['1.22.0', '1.24.17', '1.25.0', '1.28.0', '1.30.0', '1.33.0', '1.36.3'] as const;
const NEWEST = '1.36.3';
const UPDATE = (process.env.UPDATE_GOLDEN ?? '') !== '';
/** The definition of resources, which has a file of its own: it is the same with all values. */
const DEFINITION = 'crd.yaml';

jest.setTimeout(120_000);

let helm: Helm;
let helm3: Helm;
beforeAll(async () => {
  helm = await createHelm();
  helm3 = await createHelm('helm3');
}, 2 * BUILD_MS);
afterAll(() => Promise.all([helm.remove(), helm3.remove()]));

const golden = (name: string): string => readFileSync(path.join(FOLDER, `${name}.yaml`), 'utf8');

test.each([...valuesFiles()])('values/%s.yaml renders what it did', async (name, values) => {
  const { rest, definition } = split(await helm.render(values, [`--kube-version=${NEWEST}`]));
  if (UPDATE) {
    writeFileSync(path.join(FOLDER, `${name}.yaml`), rest);
    if (name === 'default') writeFileSync(path.join(FOLDER, 'definition.yaml'), definition);
  }
  expect(rest).toBe(golden(name));
  if (name === 'default') expect(definition).toBe(golden('definition'));
});

test.each([...valuesFiles(), ['(every value)', EVERY_VALUE] as const])(
  'Helm 3 renders the same bytes as Helm 4, values/%s.yaml',
  async (_, values) => {
    for (const version of [NEWEST, VERSIONS[0]]) {
      const args = [`--kube-version=${version}`];
      const [one, other] = [await helm3.render(values, args), await helm.render(values, args)];
      expect(withoutLastLines(one)).toBe(withoutLastLines(other));
    }
  },
);

describe.each(VERSIONS.filter((version) => version !== NEWEST))('on Kubernetes %s', (version) => {
  const [, minor = 0] = version.split('.').map(Number);

  test.each([...valuesFiles()])(
    'values/%s.yaml renders the same but for what that does not know',
    async (name, values) => {
      const { rest } = split(await helm.render(values, [`--kube-version=${version}`]));
      const old = minor < 26 ? withoutFailurePolicy(golden(name)) : golden(name);
      expect(rest).toBe(minor < 27 ? withoutEvictionPolicy(old) : old);
    },
  );
});

test('every golden file is one of a values file', () => {
  const names = readdirSync(FOLDER).map((file) => file.replace(/\.yaml$/, ''));
  expect(names.sort()).toEqual(['definition', ...valuesFiles().keys()].sort());
});

/** Documents in the order in which Helm prints them, and apart from them the definition of resources. */
function split(text: string): { readonly rest: string; readonly definition: string } {
  const documents = text.split(/^(?=---\n# Source: )/m);
  const isDefinition = (document: string): boolean => document.includes(`/templates/${DEFINITION}\n`);
  return {
    rest: documents.filter((document) => !isDefinition(document)).join(''),
    definition: documents.filter(isDefinition).join(''),
  };
}

/** Before 1.27 a PodDisruptionBudget has none. */
function withoutEvictionPolicy(text: string): string {
  return text.replace(/^ {2}#.*\n {2}unhealthyPodEvictionPolicy: .*\n/m, '');
}

/** Without empty lines, and blanks in them, at the end of documents: of a template with several, Helm 4 keeps them and Helm 3 does not. */
function withoutLastLines(text: string): string {
  return text.replace(/\s+(?=\n---\n|$)/g, '');
}

/** Before 1.26 a Job has none. */
function withoutFailurePolicy(text: string): string {
  return text.replace(/^ {2}backoffLimit: 2\n {2}#.*\n {2}podFailurePolicy:\n(?: {4}.*\n)+/m, '  backoffLimit: 0\n');
}
