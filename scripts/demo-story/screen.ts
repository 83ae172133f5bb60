// What the demo looks like: lines with aligned times, and on a terminal one live line at the bottom.
import { stripVTControlCharacters, styleText } from 'node:util';

/** Where the demo prints to. */
export interface ScreenOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Prints for people. */
export interface Screen {
  /** True when there is a live line: a terminal that can move its cursor. */
  readonly isLive: boolean;
  /** A line that stays. */
  print(line?: string): void;
  /** Text on the left, a time in the right column. */
  printTimed(text: string, ms: number): void;
  /** The live line, in place of the one before; nothing elsewhere. */
  live(text: string): void;
  paint(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Where the times end, if the terminal is as wide. */
const WIDTH = 88;
const CLEAR = '\r\u001B[K';

/** Colour only on a terminal, and not when `NO_COLOR` is set and not empty. */
export function buildScreen(output: ScreenOutput, env: NodeJS.ProcessEnv = process.env): Screen {
  const isLive = output.isTTY === true && env.TERM !== 'dumb';
  const hasColour = isLive && (env.NO_COLOR ?? '') === '';
  let hasLive = false;
  // Some terminals do not know, and say 0.
  const columns = (): number => (output.columns !== undefined && output.columns > 0 ? output.columns : WIDTH);
  const clear = (): void => {
    if (hasLive) output.write(CLEAR);
    hasLive = false;
  };
  const print = (line = ''): void => {
    clear();
    output.write(`${line}\n`);
  };
  return {
    isLive,
    print,
    printTimed: (text, ms) => {
      const time = formatSeconds(ms);
      const gap = Math.min(columns(), WIDTH) - stripVTControlCharacters(text).length - time.length;
      print(`${text}${' '.repeat(Math.max(2, gap))}${time}`);
    },
    live: (text) => {
      if (!isLive) return;
      const shown = text.slice(0, columns() - 1);
      output.write(`${CLEAR}${shown}`);
      hasLive = true;
    },
    paint: (style, text) => (hasColour ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** `4.20 s`: always two decimals, so that a column of them is aligned. */
export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
