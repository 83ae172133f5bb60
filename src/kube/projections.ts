// What the caches keep of each kind: only what decisions need.
import type { ObservedNamespace, ObservedSecret, ObservedServiceAccount } from '../core/types.ts';
import type { Projected } from './reflector.ts';

export declare function projectNamespace(object: unknown): Projected<ObservedNamespace> | undefined;
export declare function projectServiceAccount(
  instance: string,
): (object: unknown) => Projected<ObservedServiceAccount> | undefined;
export declare function projectSecret(object: unknown): Projected<ObservedSecret> | undefined;
export declare function isSameNamespace(a: ObservedNamespace, b: ObservedNamespace): boolean;
export declare function isSameServiceAccount(a: ObservedServiceAccount, b: ObservedServiceAccount): boolean;
export declare function isSameSecret(a: ObservedSecret, b: ObservedSecret): boolean;
