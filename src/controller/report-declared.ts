// What is said about declared resources: lines, and Events on the Secret and on the resources that people wrote.
import { KubeError } from '../core/errors.ts';
import { nameOfWrite } from '../core/plan-declared.ts';
import type { EventObject, EventRecorder } from '../kube/events.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { DeclarationObserver } from './declared-resources.ts';
import type { EventReason } from './report.ts';
import { fitting, sentenceOf } from './report-configuration.ts';
import { resourceObject } from './report-resources.ts';

/** Builds the report. */
export function createDeclarationReport({
  logger,
  metrics,
  events,
  secret,
}: {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'wrote' | 'writeFailed' | 'skipped' | 'observe'>;
  readonly events: Pick<EventRecorder<EventReason>, 'record'>;
  readonly secret: { readonly namespace: string; readonly name: string };
}): DeclarationObserver {
  const place = `${secret.namespace}/${secret.name}`;
  /** What was said last of the issues; undefined = the Secret was not there. */
  let told: string | undefined;
  let lastSkips: ReadonlySet<string> = new Set();
  let leftAlone: ReadonlyMap<string, number> = new Map();
  metrics.observe({ leftAlone: () => leftAlone });
  return {
    onDeclarations(declarations, uid) {
      if (declarations === undefined) {
        if (told !== undefined) logger.warn('Declared resources are not known any more: they stay', { secret: place });
        told = undefined;
        return;
      }
      const { resources, issues } = declarations;
      const text = issues.map(sentenceOf).join(' ');
      const before = told;
      told = text;
      logger.info('Read the declared resources', { secret: place, resources: resources.length });
      if (text === before || (text === '' && before === undefined)) return;
      for (const issue of issues) logger.warn('Declared resource has an issue', { secret: place, ...issue });
      const object: EventObject = { apiVersion: 'v1', kind: 'Secret', ...secret, uid };
      if (text === '') {
        const message = 'Applied: what was wrong before is right now.';
        events.record({ object, type: 'Normal', reason: 'SpecApplied', message });
        return;
      }
      const isWrong = issues.some(({ severity }) => severity === 'error');
      const lead = isWrong
        ? 'What cannot be used has no effect: what was made of it before stays, and the others count.'
        : 'Applied, with remarks.';
      const message = fitting([lead, ...issues.map(sentenceOf)]);
      events.record({ object, type: 'Warning', reason: isWrong ? 'SpecInvalid' : 'SpecApplied', message });
    },
    onDeclarationWrite(write) {
      metrics.wrote(write);
      logger.info('Wrote', { kind: write.kind, name: nameOfWrite(write), reason: write.reason });
    },
    onDeclarationFailure(write, error) {
      metrics.writeFailed({ kind: write.kind, reason: error instanceof KubeError ? error.reason : 'Unexpected' });
      logger.warn('Write failed', { kind: write.kind, name: nameOfWrite(write), reason: write.reason, error });
    },
    onDeclarationSkips(skips) {
      const before = lastSkips;
      lastSkips = new Set(skips.map(({ reason, name }) => `${reason} ${name}`));
      const countOf = (reason: string): number => skips.filter((skip) => skip.reason === reason).length;
      leftAlone = new Map(skips.map(({ reason }) => [reason, countOf(reason)]));
      for (const { reason, name, uid = '', message } of skips) {
        if (before.has(`${reason} ${name}`)) continue;
        metrics.skipped(reason);
        logger.info('Left alone', { reason, name, message });
        if (reason !== 'NameTaken' && reason !== 'Contended') continue;
        events.record({ object: resourceObject({ name, uid }), type: 'Warning', reason, message });
      }
    },
  };
}
