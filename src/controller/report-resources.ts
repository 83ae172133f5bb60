// What is said about `ImagePullSecret` resources: lines, and Events on the resource that a person wrote.
import { RESOURCE_KIND } from '../core/names.ts';
import { sayEnding } from '../core/resource-conditions.ts';
import type { EventObject, EventRecorder } from '../kube/events.ts';
import type { Resource } from '../kube/resource-objects.ts';
import type { Logger } from '../observability/logger.ts';
import type { EventReason } from './report.ts';
import { fitting, sentenceOf } from './report-configuration.ts';
import type { ResourceObserver } from './resources.ts';

/** What resources tell, but for the add-on that is replaced: that is said on the ConfigMap. */
export type ResourceReport = Omit<ResourceObserver, 'onTcrAssistant' | 'onResources'>;

/** Builds the report. */
export function createResourceReport({
  logger,
  events,
}: {
  readonly logger: Logger;
  readonly events: Pick<EventRecorder<EventReason>, 'record'>;
}): ResourceReport {
  /** What was said last of each resource's issues, by name. One that is made anew is another object, of which nothing was said. */
  const told = new Map<string, { readonly uid: string; readonly text: string }>();
  let wasServed = false;
  return {
    onResource(resource, issues) {
      const { name, uid } = resource;
      const text = issues.map(sentenceOf).join(' ');
      const before = told.get(name);
      if (text === (before?.uid === uid ? before.text : '')) return;
      if (text === '') told.delete(name);
      else told.set(name, { uid, text });
      for (const issue of issues) logger.warn('Resource has an issue', { resource: name, ...issue });
      const errors = issues.filter(({ severity }) => severity === 'error');
      const object = resourceObject(resource);
      if (text === '') {
        events.record({
          object,
          type: 'Normal',
          reason: 'SpecApplied',
          message: 'Applied: what was wrong before is right now.',
        });
      } else {
        const lead =
          errors.length > 0
            ? 'What cannot be understood has no effect: a wrong name reaches nobody, and without a registry what was written stays.'
            : 'Applied, with remarks.';
        const reason = errors.length > 0 ? 'SpecInvalid' : 'SpecApplied';
        events.record({ object, type: 'Warning', reason, message: fitting([lead, ...issues.map(sentenceOf)]) });
      }
    },
    onResourceGone: (name) => void told.delete(name),
    onResourceKind(state) {
      const isServed = state === 'served';
      if (wasServed && !isServed) {
        logger.warn('Definition of ImagePullSecret is gone: what was written for its resources stays', { state });
      } else logger.info('Looked for ImagePullSecret resources', { state });
      wasServed = isServed;
    },
    onPasswordEnding(resource, ending) {
      const { reason, message } = sayEnding(ending);
      logger.warn('Password of a resource ends', {
        resource: resource.name,
        endsAt: new Date(ending.endsAt).toISOString(),
      });
      const event = reason === 'PasswordExpired' ? 'PasswordExpired' : 'PasswordExpires';
      events.record({ object: resourceObject(resource), type: 'Warning', reason: event, message: `${message}.` });
    },
    onStatusFailure: ({ name }, error) => logger.warn('Status could not be written', { resource: name, error }),
  };
}

/** The resource as Events name it. */
export function resourceObject({ name, uid }: Pick<Resource, 'name' | 'uid'>): EventObject {
  const { group, version, kind } = RESOURCE_KIND;
  return { apiVersion: `${group}/${version}`, kind, namespace: '', name, uid };
}
