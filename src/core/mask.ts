// What stands where something is not shown, and comes back when people paste what they were shown.

/** Stands where something is not shown. */
export const MASK = '********';

/** What is said of a text that holds it. */
export const MASK_LEFT = `holds ${MASK}, which stands for what is not shown: write your own`;
