// What the webhook tells about itself: the closed list that logs are made from.
import type { WebhookKind } from '../core/names.ts';
import type { EpochMs } from '../core/types.ts';

/** What happened. */
export type WebhookEvent =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'leafMinted'; readonly expiresAt: EpochMs }
  /** `previous` = earlier authorities that stay trusted. */
  | { readonly type: 'authorityWritten'; readonly expiresAt: EpochMs; readonly previous: number }
  | {
      readonly type: 'objectWritten';
      readonly kind: WebhookKind;
      readonly name: string;
      readonly how: 'created' | 'updated';
    }
  | { readonly type: 'objectRemoved'; readonly kind: WebhookKind; readonly name: string }
  /** Somebody else keeps changing the object: we hold back. */
  | { readonly type: 'contended'; readonly kind: WebhookKind; readonly name: string; readonly pauseMs: number }
  /** Somebody else's object has the name: it is left alone. */
  | { readonly type: 'nameTaken'; readonly kind: WebhookKind | 'Secret'; readonly name: string }
  /** The configuration wants a webhook that this process was not told how to serve. */
  | { readonly type: 'notServed' }
  | { readonly type: 'failed'; readonly what: string; readonly error: unknown };

/** Told of each; must not wait for anything. */
export type WebhookObserver = (event: WebhookEvent) => void;
