// The names of a cluster, answered to its Pods as the DNS of a cluster answers them: Services by their own addresses.
// https://github.com/kubernetes/dns/blob/master/docs/specification.md
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { AUTHORITATIVE_ANSWER, decode, encode, type DecodedPacket } from 'dns-packet';
import type { ControlPlane } from '../support/control-plane/control-plane.ts';

/** The domain that the names of Services end with. */
export const CLUSTER_DOMAIN = 'cluster.local';

const TTL_SECONDS = 5;
const NO_SUCH_NAME = 3;

/** Answers at an address of this machine, port 53, until the process ends. Rejects when it cannot listen there. */
export async function startClusterNames(plane: ControlPlane, address: string): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (message, { address: asker, port }) => {
    const question = decode(message);
    void answer(plane, question).then((packet) => socket.send(packet, port, asker));
  });
  socket.bind(53, address);
  await once(socket, 'listening');
}

async function answer(plane: ControlPlane, { id, questions = [] }: DecodedPacket): Promise<Buffer> {
  const [question] = questions;
  const found = question === undefined ? undefined : await addressOf(plane, question.name);
  const isWanted = question?.type === 'A';
  return encode({
    ...{ type: 'response', id, questions },
    flags: AUTHORITATIVE_ANSWER | (found === undefined ? NO_SUCH_NAME : 0),
    answers: found !== undefined && isWanted ? [{ type: 'A', name: question.name, ttl: TTL_SECONDS, data: found }] : [],
  });
}

async function addressOf(plane: ControlPlane, name: string): Promise<string | undefined> {
  const [service, namespace, kind, ...domain] = name.toLowerCase().split('.');
  if (service === undefined || namespace === undefined || kind !== 'svc') return undefined;
  if (domain.join('.') !== CLUSTER_DOMAIN) return undefined;
  const { status, body } = await plane.request({ path: `/api/v1/namespaces/${namespace}/services/${service}` });
  return status === 200 ? (body as { spec: { clusterIP?: string } }).spec.clusterIP : undefined;
}
