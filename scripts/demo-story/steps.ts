// Runs the steps of the demo one after the other: measures, tells, and remembers what held.
import type { Progress } from '../../test/support/control-plane/progress.ts';
import type { Screen } from './screen.ts';

/** A step that did not hold, in two sentences for the reader. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string, options?: ErrorOptions) {
    super(`expected: ${expected}; seen: ${seen}`, options);
    this.expected = expected;
    this.seen = seen;
  }
}

/** How a step ended. */
export interface StepResult {
  readonly name: string;
  readonly title: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly expected?: string;
  readonly seen?: string;
}

/** What a step tells while it runs. */
export interface Teller {
  /** A line below the step's own, once it has ended. */
  say(text: string): void;
  /** What is being waited for, until the next call. */
  wait(text: string): void;
  /** Tells of programs that are built. */
  readonly progress: Progress;
}

/** The steps so far. */
export interface Steps {
  readonly results: readonly StepResult[];
  /** Runs one step. What it throws is printed, remembered and thrown on. */
  run<T>(step: { readonly name: string; readonly title: string }, work: (tell: Teller) => Promise<T>): Promise<T>;
  /** Ends the story where it is, as when the demo is interrupted: nothing is printed or begun any more. */
  halt(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 100;
/** Without a live line: how often a long wait is told. */
const LINE_MS = 10_000;

/** @param now - milliseconds that never jump */
export function createSteps(screen: Screen, now: () => number = () => performance.now()): Steps {
  const results: StepResult[] = [];
  let halted = false;
  let endCurrent = (): void => undefined;

  return {
    results,
    halt: () => {
      halted = true;
      endCurrent();
    },
    run: async ({ name, title }, work) => {
      if (halted) return new Promise<never>(() => undefined);
      const startedAt = now();
      const details: string[] = [];
      const line = liveLine(screen, { title, elapsed: () => now() - startedAt });
      endCurrent = line.end;
      const finish = (ok: boolean, failure?: Pick<StepFailure, 'expected' | 'seen'>): void => {
        line.end();
        if (halted) return;
        const ms = now() - startedAt;
        results.push({ name, title, ok, ms: Math.round(ms), ...failure });
        const mark = ok ? screen.paint('green', '✔') : screen.paint('red', '✘');
        screen.printTimed(` ${mark} ${screen.paint('bold', title)}`, ms);
        for (const detail of details) screen.print(`   ${screen.paint('dim', detail)}`);
        if (failure !== undefined) printFailure(screen, failure);
      };
      try {
        const value = await work({ say: (text) => details.push(text), wait: line.wait, progress: line.progress });
        finish(true);
        return value;
      } catch (error) {
        finish(false, describeFailure(title, error));
        throw error;
      }
    },
  };
}

function describeFailure(title: string, error: unknown): Pick<StepFailure, 'expected' | 'seen'> {
  if (error instanceof StepFailure) return { expected: error.expected, seen: error.seen };
  return { expected: title, seen: error instanceof Error ? error.message : String(error) };
}

function printFailure(screen: Screen, { expected, seen }: Pick<StepFailure, 'expected' | 'seen'>): void {
  const indented = (text: string): string => text.replaceAll('\n', '\n             ');
  screen.print(`   ${screen.paint('red', 'expected:')} ${indented(expected)}`);
  screen.print(`   ${screen.paint('red', 'seen:')}     ${indented(seen)}`);
}

interface LiveLine {
  readonly wait: (text: string) => void;
  readonly progress: Progress;
  readonly end: () => void;
}

function liveLine(screen: Screen, step: { readonly title: string; readonly elapsed: () => number }): LiveLine {
  let waiting = '';
  let sinceMs = 0;
  let frame = 0;
  const short = (): string => `${Math.floor((step.elapsed() - sinceMs) / 1000)} s`;
  const draw = (): void => {
    const what = waiting === '' ? '' : ` · ${waiting}`;
    if (screen.isLive) screen.live(` ${FRAMES[frame++ % FRAMES.length] ?? ''} ${step.title}${what} · ${short()}`);
    else screen.print(`   … ${waiting === '' ? step.title : waiting}, ${short()} so far`);
  };
  if (screen.isLive) draw();
  const timer = setInterval(draw, screen.isLive ? FRAME_MS : LINE_MS).unref();
  return {
    wait: (text) => (waiting = text),
    end: () => clearInterval(timer),
    progress: (what, hint) => {
      sinceMs = step.elapsed();
      waiting = `building ${what}${hint === undefined ? '' : ` (${hint})`}`;
      if (!screen.isLive) screen.print(`   … ${waiting}`);
      const end = (verb: string): void => {
        screen.printTimed(`   ${verb} ${what}`, step.elapsed() - sinceMs);
        waiting = '';
        sinceMs = 0;
      };
      return { done: () => end('built'), failed: () => end('could not build') };
    },
  };
}
