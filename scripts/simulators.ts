// Runs the simulated clouds as a process of their own, for the demo and for trying things by hand.

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { CloudsOptions } from '../test/support/clouds/clouds.ts';
import { SAMPLE, startClouds, TENCENT_SAMPLE } from '../test/support/clouds/clouds.ts';
import { CONTROL_HELP } from '../test/support/clouds/control.ts';

const HELP = `Usage: scripts/simulators [options]

Starts simulated cloud services on 127.0.0.1, prints one JSON line that says where they are, and runs until SIGINT or
SIGTERM. Alibaba's: the registry API for both editions (cr), STS, the metadata service of an instance, the token endpoint of the
registries (registryAuth) and the door at which each registry challenges (registryChallenge). Tencent's: the registry API (tcr),
STS, the metadata service of an instance, the registries' token endpoint (tencentRegistryAuth) and their door.

  --config <file>        JSON with what the clouds hold: {"accessKeys": [...], "roles": [...], "oidcProviders": [...],
                         "instances": [...], "users": [...], "metadata": {...}, "tencent": {the same, its own way}}
                         (default: the obviously fake accounts of sample.ts and tencent-sample.ts in test/support/clouds)
  --token-life <seconds> life of minted registry tokens (default 3600)
  --http                 serve the cloud APIs without TLS
  --cr-port <port>       fixed ports instead of free ones
  --sts-port <port>
  --metadata-port <port>
  --auth-port <port>
  --tencent-tcr-port <port>
  --tencent-sts-port <port>
  --tencent-metadata-port <port>
  --tencent-auth-port <port>
  --control-port <port>
  -h, --help             this text

To use them with the program, give it the part "alibaba.cr" of that line (or "tencent"):

  scripts/simulators > clouds.json &
  node -p 'JSON.stringify({ alibaba: { cr: JSON.parse(fs.readFileSync("clouds.json")).alibaba.cr } })' > endpoints.json
  npx node src/main.ts controller --kubeconfig FILE --cloud-endpoints=endpoints.json

Sample key: ${SAMPLE.accessKey.accessKeyId} / ${SAMPLE.accessKey.accessKeySecret}, instance ${SAMPLE.instance.instanceId}
in ${SAMPLE.instance.regionId}, registry user ${SAMPLE.user.username} / ${SAMPLE.user.password}.
Role of the instance: ${SAMPLE.workerRole.arn}; it may assume
${SAMPLE.roleB.arn}, whose account has instance ${SAMPLE.otherInstance.instanceId}.

Tencent: key ${TENCENT_SAMPLE.key.secretId} / ${TENCENT_SAMPLE.key.secretKey}, instance ${TENCENT_SAMPLE.instance.registryId}
in ${TENCENT_SAMPLE.instance.regionName}; role of the instance: ${TENCENT_SAMPLE.cvmRole.arn}.

The "control" URL of that line drives them:

${CONTROL_HELP}`;

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    'token-life': { type: 'string' },
    http: { type: 'boolean' },
    'cr-port': { type: 'string' },
    'sts-port': { type: 'string' },
    'metadata-port': { type: 'string' },
    'auth-port': { type: 'string' },
    'tencent-tcr-port': { type: 'string' },
    'tencent-sts-port': { type: 'string' },
    'tencent-metadata-port': { type: 'string' },
    'tencent-auth-port': { type: 'string' },
    'control-port': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help === true) {
  process.stdout.write(HELP);
} else {
  // Before the start: a signal that comes while it is under way must not leave files behind.
  const asked = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  const clouds = await startClouds(await readOptions());
  process.stdout.write(`${JSON.stringify(clouds.endpoints())}\n`);
  await asked;
  await clouds.stop();
}

async function readOptions(): Promise<CloudsOptions> {
  const content =
    values.config === undefined ? {} : (JSON.parse(await readFile(values.config, 'utf8')) as Partial<CloudsOptions>);
  const life = values['token-life'] === undefined ? {} : { tokenLifeMs: Number(values['token-life']) * 1000 };
  return {
    instances: [SAMPLE.instance, SAMPLE.otherInstance],
    ...content,
    ...life,
    tencent: { instances: [TENCENT_SAMPLE.instance, TENCENT_SAMPLE.otherInstance], ...content.tencent, ...life },
    scheme: values.http === true ? 'http' : 'https',
    ports: {
      cr: Number(values['cr-port'] ?? 0),
      sts: Number(values['sts-port'] ?? 0),
      metadata: Number(values['metadata-port'] ?? 0),
      registryAuth: Number(values['auth-port'] ?? 0),
      tencentTcr: Number(values['tencent-tcr-port'] ?? 0),
      tencentSts: Number(values['tencent-sts-port'] ?? 0),
      tencentMetadata: Number(values['tencent-metadata-port'] ?? 0),
      tencentAuth: Number(values['tencent-auth-port'] ?? 0),
      control: Number(values['control-port'] ?? 0),
    },
  };
}
