// The lines that other writers put into a hosts file; see `hosts-writers.ts`.

/** The line that the appender adds in a round. */
export const appendedLine = (round: number): string => `10.1.0.1 appended-${round}.example # grüße`;

/** The line that a locked writer makes of the one of the round before, always as long. */
export const lockedLine = (round: number): string => `10.2.0.1 locked-${String(round).padStart(8, '0')}.example`;
