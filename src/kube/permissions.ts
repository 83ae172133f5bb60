// What we need to be allowed to do, as data, and the question whether we are.
import type { KubeClient } from './client.ts';

export interface Permission {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly scope: 'cluster' | 'own-namespace';
  readonly resourceNames?: readonly string[];
  /** Why, half a sentence: "to ...". */
  readonly why: string;
}

export declare const REQUIRED_PERMISSIONS: readonly Permission[];

/** A permission that is missing, with a sentence for people. */
export interface MissingPermission {
  readonly permission: Permission;
  readonly message: string;
}

/** Asks the API server; empty = all are there. Throws KubeError when it cannot be asked. */
export declare function checkPermissions(
  client: KubeClient,
  options: {
    readonly ownNamespace: string;
    readonly permissions?: readonly Permission[];
    readonly signal: AbortSignal;
  },
): Promise<readonly MissingPermission[]>;
