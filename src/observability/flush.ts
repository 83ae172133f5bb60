// The last thing a process does before it ends; apart from the logger, so that `--help` need not load it.

/** Resolves when everything that was printed has left the process: await it before `process.exit`. */
export async function flushOutput(output: NodeJS.WritableStream = process.stdout): Promise<void> {
  await new Promise<void>((resolve) => output.write('', () => resolve()));
}
