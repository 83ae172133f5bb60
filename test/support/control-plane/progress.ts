// Tells a waiting person what is being built and for how long: one live line on a terminal, plain lines elsewhere.

/** One thing that takes a while. */
export interface ProgressStep {
  readonly done: () => void;
  readonly failed: () => void;
}

/** Begins a step, named such that "Building …", "Built …" read well: `start('etcd v3.6.6')`. */
export type Progress = (what: string, hint?: string) => ProgressStep;

/** Where progress is written to. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 100;
const LINE_MS = 20_000;

/** Progress for people, on standard error unless told. */
export function buildProgress(output: ProgressOutput = process.stderr): Progress {
  return output.isTTY === true ? liveLine(output) : plainLines(output);
}

/** Progress for nobody. */
export const silentProgress: Progress = () => ({ done: () => undefined, failed: () => undefined });

function liveLine(output: ProgressOutput): Progress {
  return (what, hint) => {
    const startedAt = Date.now();
    let frame = 0;
    const draw = (): void => {
      const spinner = SPINNER[frame++ % SPINNER.length] ?? '';
      output.write(
        `\r\u001B[K${spinner} Building ${what}, ${since(startedAt)}${hint === undefined ? '' : ` (${hint})`}`,
      );
    };
    draw();
    const timer = setInterval(draw, FRAME_MS).unref();
    const end = (line: string): void => {
      clearInterval(timer);
      output.write(`\r\u001B[K${line}\n`);
    };
    return {
      done: () => end(`✔ Built ${what} in ${since(startedAt)}`),
      failed: () => end(`✘ Could not build ${what} (${since(startedAt)})`),
    };
  };
}

function plainLines(output: ProgressOutput): Progress {
  return (what, hint) => {
    const startedAt = Date.now();
    output.write(`Building ${what}${hint === undefined ? '' : ` (${hint})`}\n`);
    const timer = setInterval(() => output.write(`Still building ${what}, ${since(startedAt)}\n`), LINE_MS).unref();
    const end = (line: string): void => {
      clearInterval(timer);
      output.write(`${line}\n`);
    };
    return {
      done: () => end(`Built ${what} in ${since(startedAt)}`),
      failed: () => end(`Could not build ${what} (${since(startedAt)})`),
    };
  };
}

function since(startedAt: number): string {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
