// What is done about each reason, for all reasons there are; the names that are an interface.
import { describe, expect, test } from '@jest/globals';
import {
  ConfigError,
  disposition,
  InvariantError,
  KubeError,
  ProviderError,
  type Disposition,
  type FailureReason,
  type KubeErrorReason,
} from '../../../src/core/errors.ts';
import * as names from '../../../src/core/names.ts';

/** A reason that is missing here does not compile. */
const FAILURES: Readonly<Record<FailureReason, Disposition['kind']>> = {
  AccessKeyInvalid: 'terminal',
  SignatureMismatch: 'terminal',
  ClockSkew: 'retry',
  SessionExpired: 'retry',
  PermissionDenied: 'terminal',
  InstanceNotFound: 'terminal',
  InstanceNotReady: 'retry',
  Throttled: 'retry',
  CloudUnavailable: 'retry',
  RequestRefused: 'terminal',
  IdentityUnavailable: 'terminal',
  Unexpected: 'retry',
};

const KUBE_ERRORS: Readonly<Record<KubeErrorReason, Disposition['kind']>> = {
  Conflict: 'replan',
  AlreadyExists: 'replan',
  NotFound: 'replan',
  NamespaceTerminating: 'replan',
  Forbidden: 'terminal',
  Unauthorized: 'retry',
  Invalid: 'terminal',
  Throttled: 'retry',
  Expired: 'retry',
  Aborted: 'retry',
  Unavailable: 'retry',
  WebhookFailed: 'retry',
  BadAnswer: 'retry',
};

describe('disposition', () => {
  test.each(Object.entries(FAILURES))('of a provider’s %s is %s', (reason, kind) => {
    expect(disposition(new ProviderError(reason as FailureReason, 'x')).kind).toBe(kind);
  });

  test.each(Object.entries(KUBE_ERRORS))('of the API server’s %s is %s', (reason, kind) => {
    expect(disposition(new KubeError(reason as KubeErrorReason, 'x')).kind).toBe(kind);
  });

  test.each([
    ['a configuration is terminal', new ConfigError(['x']), 'terminal'],
    ['a bug is retry', new InvariantError('x'), 'retry'],
    ['any other error is retry', new TypeError('x'), 'retry'],
    ['what is no error is retry', 'x', 'retry'],
    ['nothing is retry', undefined, 'retry'],
  ])('of %s', (_, error, kind) => {
    expect(disposition(error).kind).toBe(kind);
  });

  test('keeps how long we were asked to wait', () => {
    expect(disposition(new ProviderError('Throttled', 'x', { retryAfterMs: 7 }))).toEqual({
      kind: 'retry',
      afterMs: 7,
    });
    expect(disposition(new KubeError('Throttled', 'x', { retryAfterMs: 7 }))).toEqual({ kind: 'retry', afterMs: 7 });
  });
});

test('errors keep what their maker knew', () => {
  const cause = new TypeError('why');
  expect(new ProviderError('Throttled', 'm', { requestId: 'r', cause })).toMatchObject({
    name: 'ProviderError',
    message: 'm',
    requestId: 'r',
    cause,
  });
  expect(new KubeError('Conflict', 'm', { status: 409, cause })).toMatchObject({
    name: 'KubeError',
    status: 409,
    cause,
  });
  expect('cause' in new KubeError('Conflict', 'm')).toBe(false);
  expect(new ConfigError(['a', 'b'])).toMatchObject({ name: 'ConfigError', message: 'a\nb', issues: ['a', 'b'] });
});

describe('names', () => {
  const label = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

  test('of the vendors are theirs to the letter', () => {
    expect(names.ACR_SECRET_NAME).toBe('acr-credential-secret-aggregation');
    expect(names.isVendorSecretName('acr-credential-secret-aggregation')).toBe(true);
    expect(names.isVendorSecretName('tcr.ipsabcdef')).toBe(true);
    // Of earlier versions of Alibaba's add-on.
    expect(names.isVendorSecretName('acr-credential-be5ac8be6a88c42ac1d831b85135a585')).toBe(true);
    expect(names.isVendorSecretName('aliyun-acr-credential-a')).toBe(true);
    expect(names.isVendorSecretName('aliyun-acr-credential-c')).toBe(false);
    expect(names.isVendorSecretName('acr-credential-mine')).toBe(false);
    expect(names.isVendorSecretName('registry-credentials')).toBe(false);
    expect(names.isVendorSecretName('my-tcr.ips')).toBe(false);
  });

  test('of labels and annotations are accepted by the API server, for the longest instance too', () => {
    const instance = 'i'.repeat(40);
    const keys = [
      names.IGNORE_LABEL,
      names.CREDENTIALS_ANNOTATION,
      names.DIGEST_ANNOTATION,
      names.referencesAnnotation(instance),
      ...Object.keys(names.managedLabels(instance)),
      ...Object.keys(names.GITOPS_ANNOTATIONS),
    ];
    for (const key of keys) expect(key).toMatch(label);
  });

  test('differ between installations', () => {
    expect(names.stateSecretName('a')).toBe('registry-credential-helper-state-a');
    expect(names.leaseName('a')).toBe('registry-credential-helper-a');
    expect(names.referencesAnnotation('a')).toBe('registry-credential-helper.io/references.a');
    expect(names.managedSelector('a')).toBe(
      'app.kubernetes.io/managed-by=registry-credential-helper,app.kubernetes.io/instance=a',
    );
  });

  test.each([
    ['with both labels', names.managedLabels('a'), true],
    ['with those of another installation', names.managedLabels('b'), false],
    ['without the instance', { [names.MANAGED_BY_LABEL]: names.MANAGER }, false],
    ['without the manager', { [names.INSTANCE_LABEL]: 'a' }, false],
    ['with further ones', { ...names.managedLabels('a'), x: 'y' }, true],
  ])('an object %s is managed: %s', (_, labels, expected) => {
    expect(names.isManaged({ labels }, 'a')).toBe(expected);
  });
});
