// The tokens that resources hold, by what they say of themselves, and how the long-term ones are revoked (tcr.md sections 11 and 12).
import { instantText } from './password-end.ts';
import { listed, plain } from './take-over-words.ts';
import type { FoundTcrResource, FoundToken, TcrTakeOverFacts } from './tcr-take-over-facts.ts';
import type { EpochMs } from './types.ts';

/** The end of the line about a resource: what its password is. Begins with a space. */
export function endLine({ token, rule }: FoundTcrResource, now: EpochMs): string {
  if (token === undefined) {
    const isMinted = rule?.requests.some(({ provider }) => provider === 'tcr') === true;
    return isMinted ? ' Its password is minted.' : ' Its password is no token of Tencent’s.';
  }
  const kind = token.tokenId === undefined ? 'a temporary token' : `the long-term token ${token.tokenId}`;
  const account = token.operatorUin === undefined ? '' : ` of the account ${token.operatorUin}`;
  const end = `${token.endsAt <= now ? 'it ended at' : 'it ends at'} ${instantText(token.endsAt)}`;
  return ` Its password is ${kind}${account}: ${end}.`;
}

/** Lines of the section: comments begin with `#`, everything else is a shell command. */
export function tokenLines({ resources, now }: TcrTakeOverFacts): readonly string[] {
  const found = resources.ok ? resources.value : [];
  const byId = Map.groupBy(
    found.filter(({ token }) => token?.tokenId !== undefined),
    ({ token }) => token?.tokenId ?? '',
  );
  const registries = [...new Set(found.flatMap(({ name }) => registryOf(name) ?? []))].sort();
  const left = [
    '# Installing, and each installation again, leaves a long-term token behind in the cloud, which no cluster shows once no resource holds it.',
    '# All of an instance, with the description that the console gave them (TKE cluster (cls-…) dedicated access credential):',
    ...(registries.length === 0 ? [PLACEHOLDER] : registries).map(
      (registry) => `tccli tcr DescribeInstanceToken --region REGION --RegistryId ${registry}`,
    ),
    '# REGION is that of the instance. Revoke what nobody uses, by the command above with the Id that is listed.',
  ];
  if (byId.size === 0) {
    const none = resources.ok
      ? 'No resource holds a long-term token.'
      : `The resources could not be listed: ${resources.cure}.`;
    return [
      `# ${none}`,
      ...left.map((line) => line.replace('by the command above with', 'by DeleteInstanceToken with')),
    ];
  }
  return [
    '# A long-term token has all rights of the account that made it, and works until it is deleted. Every Secret of its resource holds it:',
    '# revoke it only when the resource has another password, best one that is minted (spec.tcr), and its status says Distributed.',
    ...[...byId].flatMap(([tokenId, holders]) => revocation(tokenId, holders, now)),
    ...left,
  ];
}

/** What stands where the instance cannot be told. */
const PLACEHOLDER = 'tcr-XXXXXXXX';

function revocation(tokenId: string, holders: readonly FoundTcrResource[], now: EpochMs): readonly string[] {
  const registry = holders.map(({ name }) => registryOf(name)).find((id) => id !== undefined);
  const { issuedAt, endsAt }: Pick<FoundToken, 'issuedAt' | 'endsAt'> = holders[0]?.token ?? {
    issuedAt: now,
    endsAt: now,
  };
  const names = listed(holders.map(({ name }) => plain(name)));
  const lines = [
    `# ${tokenId}: issued at ${instantText(issuedAt)}, ends at ${instantText(endsAt)}, held by ${names}. Not yet, while that is so.`,
    `# tccli tcr DeleteInstanceToken --region REGION --RegistryId ${registry ?? PLACEHOLDER} --TokenId ${tokenId}`,
  ];
  const unknown = '# Its instance cannot be told from the name of the resource: see the console, or DescribeInstances.';
  return registry === undefined ? [...lines, unknown] : lines;
}

/** The instance, by the vendor's convention `<tcr-id>-vpc`, `<tcr-id>-public` (tcr.md section 7). */
function registryOf(name: string): string | undefined {
  return /^(tcr-[a-z0-9]{8})(?:-|$)/.exec(name)?.[1];
}
