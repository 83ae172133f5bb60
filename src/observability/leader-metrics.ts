// The metrics of what only the replica that leads knows. Another one may have led before: what it knew then is old, and it gives none.
import { Gauge, type Registry } from '@prometheus-io/client';
import type { EpochMs } from '../core/types.ts';
import { guarded } from './collected-metrics.ts';

/** A credential whose last attempt failed. */
export interface FailingCredential {
  readonly provider: string;
  readonly cacheKey: string;
  readonly reason: string;
}

/** A credential that is wanted, and was asked for. */
export interface CredentialState {
  readonly provider: string;
  readonly cacheKey: string;
  /** One that works is held; false = there is none, and the last attempt failed. */
  readonly isHeld: boolean;
  /** When it stops working; undefined = never, or none is held. */
  readonly expiresAt?: EpochMs | undefined;
  /** Of a password that only a person can replace: whether that is due. undefined = it does not end, or is renewed. */
  readonly isEnding?: boolean | undefined;
}

/** Values that are read when somebody asks for the metrics while this replica leads; absent ones are left out. */
export interface LeaderSources {
  readonly credentials?: () => readonly CredentialState[];
  readonly failingCredentials?: () => readonly FailingCredential[];
  /** How many things are left alone at this moment, by reason. */
  readonly leftAlone?: () => ReadonlyMap<string, number>;
  /** ImagePullSecret resources that are not understood, or refused for another. */
  readonly invalidResources?: () => number;
  /** Credentials of which something is left at a cloud that could not be removed when it was tried last. */
  readonly revocationsFailing?: () => number;
}

/** Adds them to a registry. What is gone has no sample any more. */
export function collectLeaderMetrics(options: {
  readonly registry: Registry;
  readonly prefix: string;
  readonly sources: readonly LeaderSources[];
  readonly isLeading: () => boolean;
}): void {
  const { registry, prefix, isLeading } = options;
  const registers = [registry];
  const read = <T>(pick: (source: LeaderSources) => (() => T) | undefined): readonly T[] =>
    isLeading() ? options.sources.flatMap((source) => pick(source)?.() ?? []) : [];
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    samples: () => readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[],
  ): void => {
    const built = new Gauge<string>({
      name: `${prefix}_${name}`,
      help,
      labelNames,
      registers,
      collect: guarded(() => {
        const found = samples();
        built.reset();
        for (const { labels, value } of found) built.set(labels, value);
      }),
    });
  };
  const credentials = (): readonly CredentialState[] => read(({ credentials: source }) => source).flat();
  const labelsOf = ({ provider, cacheKey }: Pick<CredentialState, 'provider' | 'cacheKey'>) => ({
    provider,
    credential: cacheKey,
  });
  const OF_CREDENTIAL = ['provider', 'credential'] as const;

  gauge('credential_held', '1 = a credential that works is held; 0 = none, and asking failed', OF_CREDENTIAL, () =>
    credentials().map((one) => ({ labels: labelsOf(one), value: one.isHeld ? 1 : 0 })),
  );
  gauge(
    'credential_expires_at_seconds',
    'When a credential stops working, Unix time; those that never do are left out',
    OF_CREDENTIAL,
    () =>
      credentials().flatMap((one) =>
        one.expiresAt === undefined ? [] : [{ labels: labelsOf(one), value: one.expiresAt / 1_000 }],
      ),
  );
  gauge('password_ending', '1 = a person has to replace this password: it ends soon, or has ended', OF_CREDENTIAL, () =>
    credentials().flatMap((one) =>
      one.isEnding === undefined ? [] : [{ labels: labelsOf(one), value: one.isEnding ? 1 : 0 }],
    ),
  );
  gauge(
    'credential_failing',
    '1 = the last attempt to obtain this credential failed, for this reason',
    [...OF_CREDENTIAL, 'reason'],
    () =>
      read(({ failingCredentials }) => failingCredentials)
        .flat()
        .map((one) => ({ labels: { ...labelsOf(one), reason: one.reason }, value: 1 })),
  );
  gauge('left_alone', 'Things that are left alone at this moment, by reason', ['reason'], () => {
    const counts = new Map<string, number>();
    for (const one of read(({ leftAlone }) => leftAlone)) {
      for (const [reason, count] of one) counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
    return [...counts].map(([reason, value]) => ({ labels: { reason }, value }));
  });
  gauge('resources_invalid', 'ImagePullSecret resources with an error: that part of them has no effect', [], () => [
    { labels: {}, value: read(({ invalidResources }) => invalidResources).reduce((sum, one) => sum + one, 0) },
  ]);
  gauge('revocations_failing', 'Credentials of which something is left at a cloud that cannot be removed', [], () => [
    { labels: {}, value: read(({ revocationsFailing }) => revocationsFailing).reduce((sum, one) => sum + one, 0) },
  ]);
}
