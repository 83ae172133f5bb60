// The few single Secrets that identities and static passwords come from.
import type { EpochMs, SecretReference } from '../core/types.ts';
import type { KubeClient } from './client.ts';
import type { ReflectorEvent } from './reflector-event.ts';

export interface SourceSecret {
  /** Decoded values. Secret. */
  readonly data: Readonly<Record<string, string>>;
  /** Changes whenever the data does. */
  readonly digest: string;
}

export declare class SecretSources {
  constructor(options: {
    readonly client: KubeClient;
    /** The Secret appeared, disappeared or changed its data. */
    readonly onChange: (reference: SecretReference) => void;
    readonly report: (reference: SecretReference, event: ReflectorEvent) => void;
    readonly now: () => EpochMs;
    readonly random: () => number;
  });
  /** From cache after the first read of a reference; undefined = there is no such Secret. Throws KubeError. */
  read(reference: SecretReference, signal: AbortSignal): Promise<SourceSecret | undefined>;
  /** Stops following all others. */
  retain(references: Iterable<SecretReference>): void;
  /** Stops all; settles when they have ended. */
  stop(): Promise<void>;
}
