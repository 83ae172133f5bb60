// What is told of ImagePullSecret resources that something is wrong with.
import { expect, test } from '@jest/globals';
import { createResourceReport } from '../../../src/controller/report-resources.ts';
import type { Issue } from '../../../src/core/types.ts';

const ISSUE: Issue = { severity: 'error', path: 'spec.docker.server', message: 'must be the host alone' };

function createReport() {
  const told: string[] = [];
  const ignore = (): void => undefined;
  const report = createResourceReport({
    logger: { error: ignore, warn: ignore, info: ignore, debug: ignore },
    events: { record: ({ object, reason }) => void told.push(`${object.name} ${object.uid} ${reason}`) },
  });
  const see = (uid: string, issues: readonly Issue[]): void =>
    report.onResource(
      { ...{ name: 'team-a', uid, resourceVersion: uid, generation: 1, labels: {} }, spec: {}, status: undefined },
      issues,
    );
  return { told, see };
}

test('is told once, and again when it is right', () => {
  const { told, see } = createReport();
  for (const issues of [[ISSUE], [ISSUE], [], []]) see('1', issues);
  expect(told).toEqual(['team-a 1 SpecInvalid', 'team-a 1 SpecApplied']);
});

test('is told of another of that name, made anew before anybody heard that the first is gone', () => {
  const { told, see } = createReport();
  see('1', [ISSUE]);
  see('2', [ISSUE]);
  see('3', []);
  expect(told).toEqual(['team-a 1 SpecInvalid', 'team-a 2 SpecInvalid']);
});
