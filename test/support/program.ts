// Which program the tests start.

/**
 * The file that Node is given: the sources, or what the variable `PROGRAM_FILE` names. `scripts/test` names the bundle: it is what is
 * shipped, and starts in a third of the time.
 */
export const PROGRAM_FILE = process.env.PROGRAM_FILE ?? 'src/main.ts';
