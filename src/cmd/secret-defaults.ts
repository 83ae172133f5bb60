// Which Secrets the configuration and the resources may name: one answer for the controller and for every command that judges an installation.
import { declaredSecretName } from '../core/names.ts';
import type { TargetDefaults } from '../providers/provider.ts';
import type { Settings } from './settings.ts';

/** The part of the defaults of targets that does not stand in the configuration. */
export type SecretDefaults = Required<Pick<TargetDefaults, 'namespace' | 'secretNamespaces' | 'keptSecrets'>>;

/** `namespace` is that of the controller, wherever its ConfigMap is. */
export function secretDefaultsOf(
  {
    instance,
    secretNamespaces,
    declaredResources,
  }: Pick<Settings, 'instance' | 'secretNamespaces' | 'declaredResources'>,
  namespace: string,
): SecretDefaults {
  return { namespace, secretNamespaces, keptSecrets: [declaredResources ?? declaredSecretName(instance)] };
}
