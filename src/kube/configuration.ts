// Follows the ConfigMap and holds the last good configuration.
import type { Config, EpochMs, Issue, Parsed } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import type { ReflectorEvent } from './reflector-event.ts';

export interface ConfigurationState {
  /** The last configuration that could be used. */
  readonly good: Config | undefined;
  /** The data that it was parsed from. */
  readonly goodData: Readonly<Record<string, string>> | undefined;
  /** Of what is there now: errors, or only warnings when it is valid. */
  readonly issues: readonly Issue[];
  /** Of what is there now. */
  readonly status: 'valid' | 'invalid' | 'missing' | 'unknown';
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

export interface ConfigurationOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  readonly parse: (data: Readonly<Record<string, string>>) => Parsed<Config>;
  readonly onChange: (state: ConfigurationState) => void;
  readonly report: (event: ReflectorEvent) => void;
  readonly now: () => EpochMs;
  readonly random: () => number;
}

export declare class ConfigurationSource {
  constructor(options: ConfigurationOptions);
  get state(): ConfigurationState;
  get synced(): boolean;
  get lastActivityAt(): EpochMs;
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Sets a last good configuration remembered elsewhere; false = it was not taken (there is a good one, or it is bad). */
  restore(data: Readonly<Record<string, string>>): boolean;
  run(signal: AbortSignal): Promise<void>;
}
