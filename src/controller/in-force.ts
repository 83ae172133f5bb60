// What the ConfigMap and the resources say together, computed once for each change of either.
import { effectiveConfig } from '../core/effective-config.ts';
import type { Config, CredentialRequest, Parsed } from '../core/types.ts';
import type { ConfigurationState } from '../kube/configuration.ts';
import type { Resources } from './resources.ts';

/** What is in force. */
export interface InForce {
  /** undefined = nothing is known: plan nothing, delete nothing. The same object as long as nothing changed. */
  config(): Config | undefined;
  /** What its rules ask for; undefined = nothing is known. */
  requests(): readonly CredentialRequest[] | undefined;
  /** False while a rule may be missing among those in force: what it needs must not be dropped. */
  areAllKnown(): boolean;
  /** The resources changed. */
  changed(): void;
}

/** Builds it. Without a good ConfigMap, settings are what one without registries means. */
export function createInForce(of: {
  readonly configuration: () => Pick<ConfigurationState, 'good' | 'status'>;
  readonly resources: () => Pick<Resources, 'known' | 'areKnown'>;
  readonly parse: (data: Readonly<Record<string, string>>) => Parsed<Config>;
}): InForce {
  let last: { readonly good: Config | undefined; readonly config: Config | undefined } | undefined;

  const defaultsOf = (): Config | undefined => {
    const parsed = of.parse({ 'registry-info': '[]' });
    return parsed.ok ? parsed.value : undefined;
  };
  const build = (good: Config | undefined): Config | undefined => {
    const defaults = good ?? defaultsOf();
    return defaults === undefined ? undefined : effectiveConfig(good, of.resources().known(), defaults);
  };
  const config = (): Config | undefined => {
    const { good } = of.configuration();
    if (last === undefined || last.good !== good) last = { good, config: build(good) };
    return last.config;
  };
  return {
    config,
    requests: () => config()?.rules.flatMap((rule) => rule.requests),
    areAllKnown() {
      const { good, status } = of.configuration();
      // One that is not there, and was never remembered, had no rules.
      return (good !== undefined || status === 'missing') && of.resources().areKnown();
    },
    changed: () => void (last = undefined),
  };
}
