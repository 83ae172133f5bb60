// Builds every tool that is missing, with progress: `npx node test/support/control-plane/build-tools.ts [name…]`.
import { findTools } from './tools.ts';
import { TOOLS, type ToolName } from './tool-table.ts';

const all = Object.keys(TOOLS) as ToolName[];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(all as string[]).includes(name));

if (unknown.length > 0) {
  console.error(`Unknown tool: ${unknown.join(', ')}\nKnown: ${all.join(', ')}`);
  process.exitCode = 2;
} else {
  try {
    const found = await findTools(asked.length === 0 ? all : (asked as ToolName[]));
    for (const [name, file] of Object.entries(found)) console.log(`${name} ${file}`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
