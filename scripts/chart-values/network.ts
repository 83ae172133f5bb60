// Values about who reaches the Pods, and whom they reach.
import { ANY_MAP, PORT } from './schemas.ts';
import { flag, list, section, text, value, type Members } from './shape.ts';

/** Webhook and network. */
export const NETWORK: Members = {
  webhook: section('How the API server reaches the admission webhook, which the configuration switches on.', {
    enabled: flag('`false` = the program serves none, whatever the configuration says.', true),
    url: text(
      '`https://HOST:PORT` in the place of the Service, for clusters whose API server does not reach Services.',
      '',
      {
        pattern: '^(https://.+)?$',
      },
    ),
    port: value('Port of the Pod.', 10250, PORT),
    hostNetwork: flag(
      'Put the Pods into the network of their node, where the API server reaches nothing else. Not allowed by the level `restricted`; 10250 is taken there, so change the `port`, and `metrics.port` where that is taken.',
      false,
    ),
  }),
  networkPolicy: section('Who may reach the Pods, and whom they may reach.', {
    enabled: flag('Whether there are NetworkPolicies.', false),
    metricsFrom: list('Peers that may read metrics, as in a NetworkPolicy; empty = any.', ANY_MAP),
    egressPorts: list('TCP ports that may be reached anywhere: the API server, the clouds.', PORT, [443, 6443]),
    extraEgress: list(
      'Further rules for what may be reached. The port of a proxy must be let out by one of them, or by `egressPorts`.',
      ANY_MAP,
    ),
  }),
};
