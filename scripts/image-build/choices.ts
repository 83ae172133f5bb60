// Values of flags that scripts/image and scripts/release share.
import { ENGINES, type EngineName } from './engines.ts';

/** Those that images are made for. */
export const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

/** One of those that are known. Throws with all of them otherwise. */
export function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Error(`${flag} is ${JSON.stringify(value)}: known are ${known.join(', ')}`);
  return found;
}

/** The value of `--platform`. */
export function readPlatforms(value: string): readonly string[] {
  return [...new Set(value.split(',').map((one) => oneOf('--platform', one, PLATFORMS)))];
}

/** The value of `--engine`, where it is given. */
export function readEngine(value: string | undefined): EngineName | undefined {
  return value === undefined ? undefined : oneOf('--engine', value, ENGINES);
}
