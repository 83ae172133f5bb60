// The registry host of an image, and which credentials kubelet takes for it.
import { coversHost, DOCKER_HUB_KEY } from './registry-host.ts';

/** Hosts that stand for Docker Hub in a reference. */
const DOCKER_HUB: readonly string[] = ['docker.io', DOCKER_HUB_KEY];

/**
 * The host that credentials are looked up under for `image`, lower case, with its port; Docker Hub's for a reference without a host.
 * What stands before the first `/` is a host when it holds a `.` or `:` or is `localhost`: the rule of
 * https://github.com/distribution/reference (normalize.go).
 */
export function hostOfImage(image: string): string {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash).toLowerCase();
  const isHost = /[.:]/.test(first) || first === 'localhost';
  return !isHost || DOCKER_HUB.includes(first) ? DOCKER_HUB_KEY : first;
}

/**
 * True when kubelet takes what is under `pattern` in `auths` for an image of `host`: the same port, or none on both sides, and as many
 * parts, each of which may hold `*` (https://kubernetes.io/docs/concepts/containers/images/#config-json).
 */
export function isForHost(pattern: string, host: string): boolean {
  return portOf(pattern) === portOf(host) && coversHost(pattern, host);
}

function portOf(host: string): string {
  return /:(\d+)$/.exec(host)?.[1] ?? '';
}
