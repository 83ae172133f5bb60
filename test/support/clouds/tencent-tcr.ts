// tcr 2019-09-24: every action of it that the contract names.

import type { Api } from './tencent-gateway.ts';
import { DNS_ACTIONS } from './tencent-tcr-dns.ts';
import { INSTANCE_ACTIONS } from './tencent-tcr-instances.ts';
import { PERSONAL_ACTIONS } from './tencent-tcr-personal.ts';
import { ROBOT_ACTIONS } from './tencent-tcr-robots.ts';
import { TOKEN_ACTIONS } from './tencent-tcr-tokens.ts';

/** The API of the registry (tcr.md sections 9 and 11). */
export const TCR: Api = {
  service: 'tcr',
  version: '2019-09-24',
  isRegionRequired: true,
  actions: { ...TOKEN_ACTIONS, ...INSTANCE_ACTIONS, ...DNS_ACTIONS, ...ROBOT_ACTIONS, ...PERSONAL_ACTIONS },
};
