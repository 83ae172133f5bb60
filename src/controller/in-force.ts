// What the ConfigMap and the resources say together, computed once for each change of either.
import { effectiveConfig, type KnownResources } from '../core/effective-config.ts';
import type { Config, CredentialRequest, Parsed } from '../core/types.ts';

/** What is in force. */
export interface InForce {
  /** undefined = nothing is known: plan nothing, delete nothing. The same object as long as nothing changed. */
  config(): Config | undefined;
  /** What its rules ask for; undefined = nothing is known. */
  requests(): readonly CredentialRequest[] | undefined;
  /** The resources changed. */
  changed(): void;
}

/** Builds it. Without a good ConfigMap, settings are what one without registries means. */
export function createInForce(of: {
  readonly good: () => Config | undefined;
  readonly resources: () => KnownResources;
  readonly parse: (data: Readonly<Record<string, string>>) => Parsed<Config>;
}): InForce {
  let last: { readonly good: Config | undefined; readonly config: Config | undefined } | undefined;

  const defaultsOf = (): Config | undefined => {
    const parsed = of.parse({ 'registry-info': '[]' });
    return parsed.ok ? parsed.value : undefined;
  };
  const build = (good: Config | undefined): Config | undefined => {
    const defaults = good ?? defaultsOf();
    return defaults === undefined ? undefined : effectiveConfig(good, of.resources(), defaults);
  };
  const config = (): Config | undefined => {
    const good = of.good();
    if (last === undefined || last.good !== good) last = { good, config: build(good) };
    return last.config;
  };
  return {
    config,
    requests: () => config()?.rules.flatMap((rule) => rule.requests),
    changed: () => void (last = undefined),
  };
}
