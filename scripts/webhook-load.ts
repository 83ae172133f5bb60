// Measures the admission webhook of the real program: latency at a steady rate, and memory after many requests.
import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { REVIEW_PATH } from '../src/webhook/object.ts';
import { buildReview } from '../test/support/reviews.ts';
import { shippedNodeFlags } from '../test/support/shipped.ts';
import { metric } from '../test/support/signs.ts';
import { startServing, webhookObject, withWebhook } from '../test/support/webhook.ts';
import { eventually } from '../test/support/eventually.ts';
import { startWorld, type Replica } from '../test/support/world.ts';

const HELP = `Usage: scripts/webhook-load [options]

Starts a control plane, simulated clouds and the program as it is shipped (the bundle, with the image's flags of Node, in
the memory that the chart gives it), posts reviews of new ServiceAccounts to its webhook as the API server does, over
connections that stay open, and prints p50 and p99 at a steady rate and the memory after many requests.

  --rate <n>      requests per second while latency is measured (default 200)
  --seconds <n>   how long (default 30)
  --first <n>     requests after which memory is read first (default 20000)
  --last <n>      requests after which it is read again (default 100000)
  -h, --help      this text
`;

const WARM_UP = 1_000;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '30' },
    first: { type: 'string', default: '20000' },
    last: { type: 'string', default: '100000' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help === true) process.stdout.write(HELP);
else await measure();

async function measure(): Promise<void> {
  const [rate, seconds, first, last] = [values.rate, values.seconds, values.first, values.last].map(Number);
  await import('./build.ts');
  const world = await startWorld();
  try {
    await world.putAccessKey();
    await world.cluster.namespace('team-a');
    await world.configure(withWebhook(world, 'enable: true\n'));
    const replica = await startServing(world, { program: [...(await shippedNodeFlags()), 'dist/main.mjs'] });
    const object = await eventually('the webhook object is there', () => webhookObject(world));
    const ca = Buffer.from(object.webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString('utf8');
    const agent = new Agent({ keepAlive: true, maxSockets: 25, ca });
    const post = createPost(replica.port, agent);

    // Connections are open and code is warm, as behind an API server that has been there for a while.
    await asFastAsPossible(post, WARM_UP);
    const latencies = await atRate(post, { rate: rate ?? 0, seconds: seconds ?? 0 });
    print(
      `${latencies.length} requests at ${rate}/s: p50 ${quantile(latencies, 0.5)} ms, p99 ${quantile(latencies, 0.99)} ms`,
    );
    print(
      `${await decidedWithin(replica, 0.001)} % of them were decided within 1 ms; the rest is network, TLS and this client`,
    );
    let sent = WARM_UP + latencies.length;
    const readings: number[] = [];
    for (const total of [first ?? 0, last ?? 0]) {
      const startedAt = performance.now();
      const count = total - sent;
      await asFastAsPossible(post, count);
      sent = total;
      const perSecond = Math.round(count / ((performance.now() - startedAt) / 1_000));
      readings.push(await residentMiB(replica));
      print(`RSS after ${total} requests: ${readings.at(-1)?.toFixed(1)} MiB (the last ${count} at ${perSecond}/s)`);
    }
    print(`RSS grew by ${((readings[1] ?? 0) - (readings[0] ?? 0)).toFixed(1)} MiB`);
    agent.destroy();
  } finally {
    await world.stop();
  }
}

/** Builds a function that posts one review and gives the milliseconds until its answer was read. Throws unless it is a patch. */
function createPost(port: number, agent: Agent): () => Promise<number> {
  let count = 0;
  return () => {
    count += 1;
    const name = `account-${count}`;
    const object = {
      metadata: { name, namespace: 'team-a', labels: { app: name } },
      imagePullSecrets: [{ name: 'own' }],
    };
    const body = buildReview({ uid: `uid-${count}`, namespace: 'team-a', object });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const target = { host: '127.0.0.1', port, path: `${REVIEW_PATH}?timeout=3s`, method: 'POST', headers, agent };
      const call = request(target, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk));
        response.on('end', () => {
          if (text.includes('"patch"')) resolve(performance.now() - startedAt);
          else reject(new Error(`${response.statusCode ?? 0} ${text}`));
        });
      });
      call.on('error', reject).end(body);
    });
  };
}

/** Starts requests at a steady rate, whether those before have been answered or not. */
async function atRate(
  post: () => Promise<number>,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<readonly number[]> {
  const pending: Promise<number>[] = [];
  const startedAt = performance.now();
  while (pending.length < rate * seconds) {
    const due = Math.min(rate * seconds, Math.floor(((performance.now() - startedAt) / 1_000) * rate));
    while (pending.length < due) pending.push(post());
    await pause(1);
  }
  return (await Promise.all(pending)).sort((a, b) => a - b);
}

async function asFastAsPossible(post: () => Promise<number>, count: number): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await post();
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Share of all requests so far, in percent, that took the program at most `seconds`: a bucket of its histogram. */
async function decidedWithin(replica: Replica, seconds: number): Promise<string> {
  const name = 'registry_credential_helper_webhook_request_duration_seconds';
  const within = await metric(replica, `${name}_bucket`, { le: String(seconds) });
  const all = await metric(replica, `${name}_count`);
  return (((within ?? Number.NaN) / (all ?? Number.NaN)) * 100).toFixed(2);
}

async function residentMiB(replica: Replica): Promise<number> {
  return ((await metric(replica, 'process_resident_memory_bytes')) ?? Number.NaN) / 1_048_576;
}

function quantile(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(2);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
