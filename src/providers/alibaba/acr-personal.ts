// The Personal Edition as it was until 2024-09-08: one token for all hosts of a region (acr.md sections 15 and 23).

/** The hosts of the Personal Edition in `region`: public, inside the VPC, internal; outside mainland China the international ones too. */
export function personalHosts(region: string): readonly string[] {
  const isMainland = region.startsWith('cn-') && region !== 'cn-hongkong';
  const names = ['registry', 'registry-vpc', 'registry-internal'];
  const international = isMainland ? [] : ['registry-intl', 'registry-intl-vpc'];
  return [...names, ...international].map((name) => `${name}.${region}.aliyuncs.com`);
}
