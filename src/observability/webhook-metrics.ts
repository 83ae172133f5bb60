// The metrics of the admission webhook.
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import type { EpochMs } from '../core/types.ts';
import { guarded } from './collected-metrics.ts';

/** A certificate in use, by what it is: a bounded set. */
export interface CertificateExpiry {
  readonly certificate: string;
  readonly expiresAt: EpochMs;
}

/** The metrics, as functions. */
export interface WebhookMetrics {
  /** A request was answered; `outcome` from a closed list. */
  admissionAnswered(answered: { readonly outcome: string; readonly ms: number }): void;
}

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1];

/** Adds them to a registry. `certificates` and `isUsable` are read when somebody asks. */
export function createWebhookMetrics(options: {
  readonly registry: Registry;
  readonly prefix: string;
  readonly certificates: () => readonly CertificateExpiry[];
  readonly isUsable: () => boolean;
}): WebhookMetrics {
  const { registry, prefix, certificates, isUsable } = options;
  const registers = [registry];
  const requests = new Counter({
    name: `${prefix}_webhook_requests_total`,
    help: 'Requests to the admission webhook, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: `${prefix}_webhook_request_duration_seconds`,
    help: 'Time to decide about such a request',
    buckets: SECONDS,
    registers,
  });
  const expiry = new Gauge({
    name: `${prefix}_webhook_certificate_expires_at_seconds`,
    help: 'When a certificate of the webhook ends, Unix time',
    labelNames: ['certificate'],
    registers,
    collect: guarded(() => {
      const found = certificates();
      expiry.reset();
      for (const { certificate, expiresAt } of found) expiry.set({ certificate }, expiresAt / 1_000);
    }),
  });
  const usable = new Gauge({
    name: `${prefix}_webhook_usable`,
    help: '1 = the API server can use the webhook of this replica, or nobody calls it',
    registers,
    collect: guarded(() => usable.set(isUsable() ? 1 : 0)),
  });
  return {
    admissionAnswered: ({ outcome, ms }) => {
      requests.inc({ outcome });
      duration.observe(Number.isFinite(ms) && ms > 0 ? ms / 1_000 : 0);
    },
  };
}
