// Wires the declared resources of the command `controller`.
import type { Controller } from '../controller/controller-options.ts';
import { createDeclaredResources, type DeclaredResources } from '../controller/declared-resources.ts';
import type { EventReason } from '../controller/report.ts';
import { createDeclarationReport } from '../controller/report-declared.ts';
import type { SpecParser } from '../core/declared-resources.ts';
import { declaredSecretName } from '../core/names.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { ReflectorEvent } from '../kube/reflector.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Connection } from './connect.ts';
import type { Settings } from './settings.ts';

/** Builds them; nothing is read or written before `run` and `lead`. */
export function wireDeclaredResources(of: {
  readonly connection: Connection;
  readonly settings: Pick<Settings, 'instance' | 'declaredResources'>;
  readonly controller: Pick<Controller, 'resources'>;
  readonly parseSpec: SpecParser;
  readonly metrics: Metrics;
  readonly events: Pick<EventRecorder<EventReason>, 'record'>;
  readonly onReflector: (kind: string, event: ReflectorEvent) => void;
}): DeclaredResources {
  const { client, logger, secrets, namespace } = of.connection;
  const { instance, declaredResources } = of.settings;
  const secret = { namespace, name: declaredResources ?? declaredSecretName(instance) };
  return createDeclaredResources({
    ...{ client, instance, secret, parseSpec: of.parseSpec },
    found: () => of.controller.resources.ours(),
    definition: () => of.controller.resources.definition(),
    whenAsked: () => of.controller.resources.whenAsked(),
    register: (key, passwords) => secrets.register(key, passwords),
    observer: createDeclarationReport({ logger, metrics: of.metrics, events: of.events, secret }),
    report: (event) => of.onReflector(`secret ${secret.namespace}/${secret.name}`, event),
    now: Date.now,
    random: Math.random,
  });
}
