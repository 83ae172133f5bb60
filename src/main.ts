// The command table: each command is loaded only when it is asked for.
import { readFileSync } from 'node:fs';
import { runCommand, type Command, type CommandGroup } from './cmd/lifecycle.ts';

declare const __VERSION__: string | undefined;

const COMMANDS: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<Command | CommandGroup> }>
> = {
  controller: {
    summary: 'keep Secrets and ServiceAccounts as the configuration says, until stopped',
    load: async () => (await import('./cmd/controller.ts')).controllerCommand,
  },
  cleanup: {
    summary: 'remove everything that an installation wrote: references first, then Secrets',
    load: async () => (await import('./cmd/cleanup.ts')).cleanupCommand,
  },
  hosts: {
    summary: 'keep a block of names in the hosts file of a node, until stopped',
    load: async () => (await import('./cmd/hosts.ts')).hostsCommand,
  },
  explain: {
    summary: 'say why a Pod can, or cannot, pull with what is written here',
    load: async () => (await import('./cmd/explain.ts')).explainCommand,
  },
  doctor: {
    summary: 'look for what is in the way of pulling, and say how to mend it',
    load: async () => (await import('./cmd/doctor.ts')).doctorCommand,
  },
  'self-test': {
    summary: 'try, with the rights of the installation, what it needs to be able to do',
    load: async () => (await import('./cmd/self-test.ts')).selfTestCommand,
  },
  migrate: {
    summary: 'say what another add-on’s configuration means here',
    load: async () => (await import('./cmd/migrate.ts')).migrateCommand,
  },
};

const HELP = `registry-credential-helper keeps every namespace of a Kubernetes cluster able to pull from private registries.

Usage: registry-credential-helper COMMAND [FLAGS]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`)
  .join('\n')}

  COMMAND --help   its flags, with examples
  --version        the version
`;

// Warnings about what libraries use are for those who build this, not for those who read its log.
process.noDeprecation = true;

const [name = '--help', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;

if (name === '--version' || args.includes('--version')) process.stdout.write(`${version()}\n`);
else if (name === '--help' || name === '-h' || name === 'help') process.stdout.write(HELP);
else if (isTooOld(process.versions.node)) {
  process.stderr.write(
    `Node ${process.versions.node} is too old: run this with Node 22.19 or newer, e.g. with npx node\n`,
  );
  process.exitCode = 2;
} else if (command === undefined) {
  process.stderr.write(`unknown command ${name}\n\n${HELP}`);
  process.exitCode = 2;
} else await runCommand(await command.load(), args, version());

/** The bundle knows its version; the sources read it from package.json. */
function version(): string {
  if (typeof __VERSION__ === 'string') return __VERSION__;
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** True below 22.19: what the program builds on does not load there. */
function isTooOld(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major < 22 || (major === 22 && minor < 19);
}
