// The actions of tcr 2019-09-24 about names that resolve to an instance inside of a VPC (tcr.md section 11).

import { writeList } from './tencent-answers.ts';
import type { Action, Result, Turn } from './tencent-gateway.ts';
import type { Member, Members, Parameters } from './tencent-members.ts';
import { BOOLEAN, INTEGER, REQUIRED_TEXT, TEXT } from './tencent-members.ts';
import { findInstance } from './tencent-tcr-instances.ts';

const LINK: Members = {
  ...{ InstanceId: REQUIRED_TEXT, VpcId: REQUIRED_TEXT, EniLBIp: REQUIRED_TEXT },
  ...{ UsePublicDomain: BOOLEAN, RegionName: TEXT },
};
const SET: Member = { type: 'objects', required: true, members: LINK };

export const DNS_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeInternalEndpointDnsStatus: {
    members: { VpcSet: SET },
    rate: 20,
    resources: ({ VpcSet }) => (VpcSet as readonly Parameters[]).map(resourceOf),
    run: describe,
  },
  CreateInternalEndpointDns: {
    members: { ...LINK, RegionId: INTEGER },
    rate: 20,
    resources: (parameters) => [resourceOf(parameters)],
    run: (turn) => withLink(turn, turn.parameters, (name) => void turn.state.internalDns.add(name)),
  },
  DeleteInternalEndpointDns: {
    members: { ...LINK, RegionId: INTEGER },
    rate: 20,
    resources: (parameters) => [resourceOf(parameters)],
    run: (turn) => withLink(turn, turn.parameters, (name) => void turn.state.internalDns.delete(name)),
  },
};

function describe(turn: Turn): Result {
  const { state, region, parameters } = turn;
  const links = parameters.VpcSet as readonly Parameters[];
  for (const link of links) {
    const checked = withLink(turn, link, () => undefined);
    if ('error' in checked) return checked;
  }
  const shown = links.map((link) => ({
    ...{ Region: region, VpcId: link.VpcId, Status: state.internalDns.has(nameOf(link)) ? 'ENABLE' : 'DISABLE' },
  }));
  return { body: { VpcSet: writeList(state, shown) } };
}

function withLink(turn: Turn, link: Parameters, act: (name: string) => void): Result {
  const instance = findInstance({ ...turn, parameters: { RegistryId: link.InstanceId } });
  if ('error' in instance) return instance;
  const isThere = (instance.vpcLinks ?? []).some(
    ({ vpcId, accessIp }) => vpcId === link.VpcId && accessIp === link.EniLBIp,
  );
  if (!isThere) {
    return { error: { status: 200, code: 'ResourceNotFound', message: 'The instance has no such link to the VPC.' } };
  }
  act(nameOf(link));
  return { body: {} };
}

function resourceOf({ InstanceId }: Parameters): string {
  return `instance/${String(InstanceId)}`;
}

/** The public name only where that is asked for: default is the one that ends in `-vpc`. */
function nameOf({ InstanceId, VpcId, EniLBIp, UsePublicDomain }: Parameters): string {
  return [InstanceId, VpcId, EniLBIp, UsePublicDomain === true ? 'public' : 'vpc'].join(' ');
}
