// What `migrate config` prints for a configuration, wherever it came from.
import { sentenceOf } from '../controller/report-configuration.ts';
import { parseConfig } from '../core/config.ts';
import { correctedKey } from '../core/corrections.ts';
import type { ConfigData } from '../core/managed-form.ts';
import { renderOwnForm } from '../core/own-form.ts';
import { withoutKeys } from '../core/secrecy.ts';
import type { Issue } from '../core/types.ts';
import { createItemParser } from '../credentials/requests.ts';
import { createProviders } from '../providers/table.ts';

/** A configuration, and where it stands. */
export interface MigrationSource {
  readonly data: ConfigData;
  readonly place: { readonly namespace: string; readonly name: string };
  /** Our own namespace. */
  readonly namespace: string;
}

/** Where text goes. */
export interface Print {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/** Prints the configuration in our own form, and what is wrong with it; returns the exit code: 0, or 3 when it is refused. */
export function migrateConfig(
  source: MigrationSource & { readonly secretNamespaces: readonly string[] },
  print: Print,
): number {
  const { data, place, namespace, secretNamespaces } = source;
  const providers = createProviders();
  const parsed = parseConfig(data, {
    parseItem: createItemParser(providers, { namespace, secretNamespaces }),
    providers: [...providers.keys()],
    namespace,
  });
  printIssues(parsed.issues, print);
  if (!parsed.ok) {
    print.error('migrate config: the configuration is refused: nothing is printed until it is right\n');
    return 3;
  }
  print.out(renderOwnForm({ written: data, config: parsed.value, place, namespace }));
  return 0;
}

/** A line for each issue, and under it the corrected text. */
export function printIssues(issues: readonly Issue[], print: Pick<Print, 'error'>): void {
  for (const issue of issues.map(withoutKeys)) {
    const { severity, path, correction } = issue;
    print.error(`migrate config: ${severity}: ${sentenceOf(issue)}\n`);
    if (correction !== undefined) print.error(`\n${correctedKey(path, correction)}\n\n`);
  }
}
