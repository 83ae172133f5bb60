// The registry host of an image, as kubelet reads the reference.
import { DOCKER_HUB, DOCKER_HUB_KEY } from './registry-host.ts';

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
