// Other writers of a hosts file, as processes of their own: `node hosts-writers.ts KIND FILE LOCK STOP`. Each works at least a
// thousand rounds, and until the file STOP exists; then it prints how many it made.
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { appendedLine, lockedLine } from './hosts-lines.ts';

const [kind = '', file = '', lock = '', stop = ''] = process.argv.slice(2);
const MIN_ROUNDS = 1_000;

/** Appends without any lock; sometimes it holds the file open for a while before it writes. */
async function append(round: number): Promise<void> {
  const fd = openSync(file, 'a');
  for (let left = round % 4; left > 0; left -= 1) await turn();
  if (round % 17 === 0) await pause(3);
  writeSync(fd, `${appendedLine(round)}\n`);
  closeSync(fd);
}

/** Changes its own line under the lock: by writing the whole file, or only those bytes. */
async function rewrite(round: number, isWhole: boolean): Promise<void> {
  await locked(() => {
    const text = readFileSync(file, 'latin1');
    const [before, after] = [lockedLine(round - 1), lockedLine(round)];
    const at = text.indexOf(before);
    if (at === -1) throw new Error(`round ${round}: the line of the round before is lost`);
    if (isWhole) {
      writeFileSync(file, text.replace(before, after), 'latin1');
      return;
    }
    const fd = openSync(file, 'r+');
    writeSync(fd, after, at);
    closeSync(fd);
  });
}

async function locked(work: () => void): Promise<void> {
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx'));
      break;
    } catch {
      await pause(1);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock);
  }
}

let round = 0;
while (round < MIN_ROUNDS || !existsSync(stop)) {
  round += 1;
  if (kind === 'append') await append(round);
  else await rewrite(round, kind === 'rewrite');
  await pause(Math.random() * 20);
}
process.stdout.write(`${round}\n`);
