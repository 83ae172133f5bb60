// Reads source files as the compiler does and names everything that breaks the rules of the layers.
import { posix } from 'node:path';
import ts from 'typescript';

/** A file below `src/`. */
export interface SourceText {
  /** `core/plan.ts`. */
  readonly path: string;
  readonly text: string;
}

/** What the files of one folder may import. */
export interface Layer {
  /** Folders and files below `src/`. */
  readonly imports: readonly string[];
  /** Packages, and built-in modules where `builtins` is not `all`. */
  readonly packages: readonly string[];
  /** Packages of which types may be imported, and nothing else. */
  readonly types?: readonly string[];
  readonly builtins: 'all' | readonly string[];
}

/** The rules as data. */
export interface Rules {
  /** By the first folder of the path; a file at the top by its name. */
  readonly layers: Readonly<Record<string, Layer>>;
  /** Beginnings of package names, and the only file that may import them. */
  readonly onlyIn: Readonly<Record<string, string>>;
  /** The only file that reads the environment. */
  readonly environment: string;
  /** The folder without time, chance, waiting and output. */
  readonly pure: string;
  /** The folder whose folders must not know each other, and the file that knows them all. */
  readonly strangers: { readonly folder: string; readonly table: string };
  readonly maxLines: number;
  /** Files that may be longer. */
  readonly longer: Readonly<Record<string, number>>;
}

interface Import {
  readonly specifier: string;
  readonly isType: boolean;
}

/** One sentence for each violation: file, what it does, which rule forbids it. */
export function violations(files: readonly SourceText[], rules: Rules): readonly string[] {
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
    return [
      ...importsOf(source).flatMap((found) => forbiddenImport(file.path, found, rules)),
      ...formOf(source, file, rules),
      ...nodesOf(source).flatMap((node) => forbiddenCode(node, file.path, rules)),
    ].map((sentence) => `${file.path} ${sentence}`);
  });
}

function nodesOf(root: ts.Node): readonly ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

/** Every import: static, re-exporting, dynamic, by `require`, and in types. */
function importsOf(source: ts.SourceFile): readonly Import[] {
  return nodesOf(source).flatMap((node): readonly Import[] => {
    if (ts.isImportDeclaration(node)) return specifierOf(node.moduleSpecifier, isTypeImport(node.importClause));
    if (ts.isExportDeclaration(node)) return specifierOf(node.moduleSpecifier, node.isTypeOnly);
    if (ts.isImportTypeNode(node)) {
      return ts.isLiteralTypeNode(node.argument) ? specifierOf(node.argument.literal, true) : [];
    }
    const isCall = ts.isCallExpression(node) && node.arguments[0] !== undefined;
    if (!isCall) return [];
    const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require';
    return isImport ? specifierOf(node.arguments[0], false) : [];
  });
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  if (clause.name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function specifierOf(node: ts.Node | undefined, isType: boolean): readonly Import[] {
  if (node === undefined) return [];
  return [{ specifier: ts.isStringLiteralLike(node) ? node.text : `a computed name: ${node.getText()}`, isType }];
}

function forbiddenImport(path: string, { specifier, isType }: Import, rules: Rules): readonly string[] {
  const name = layerName(path);
  const layer = rules.layers[name];
  if (layer === undefined) return [`imports ${specifier}: ${name} is not in the table of layers`];
  const fail = (rule: string): readonly string[] => [`imports ${specifier}: ${rule}`];

  if (specifier.startsWith('.'))
    return forbiddenFile(path, posix.join(posix.dirname(path), specifier), layer, rules).flatMap(fail);
  if (specifier === 'node:process') return fail('the environment is read in one place');
  if (specifier.startsWith('node:')) {
    return layer.builtins === 'all' || layer.builtins.includes(specifier) ? [] : fail(`${name} may not import it`);
  }
  const home = Object.entries(rules.onlyIn).find(([prefix]) => specifier.startsWith(prefix))?.[1];
  if (home !== undefined) return path === home ? [] : fail(`only ${home} may import it`);
  const known = isType ? [...layer.packages, ...(layer.types ?? [])] : layer.packages;
  const isKnown = known.some((known) => specifier === known || specifier.startsWith(`${known}/`));
  return isKnown ? [] : fail(`${name} may not import it`);
}

function forbiddenFile(path: string, target: string, layer: Layer, { strangers }: Rules): readonly string[] {
  if (!target.endsWith('.ts')) return ['imports carry the .ts suffix'];
  const isAllowed = layer.imports.some((allowed) => target === allowed || target.startsWith(`${allowed}/`));
  if (!isAllowed) return [`${layerName(path)} may import ${layer.imports.join(', ')}`];
  const [from, to] = [path, target].map((file) => strangerOf(file, strangers.folder));
  if (from !== undefined && target === strangers.table) return ['what is in the table does not know the table'];
  if (to === undefined || from === to || path === strangers.table || layerName(path) !== strangers.folder) return [];
  return [`${strangers.folder} do not know each other`];
}

/** `alibaba` of `providers/alibaba/client.ts`; undefined for a file that is in no such folder. */
function strangerOf(path: string, folder: string): string | undefined {
  const [first, second, ...rest] = path.split('/');
  return first === folder && rest.length > 0 ? second : undefined;
}

function layerName(path: string): string {
  return path.split('/')[0] ?? path;
}

function formOf(source: ts.SourceFile, { path, text }: SourceText, rules: Rules): readonly string[] {
  const lines = text.split('\n').length - 1;
  const most = rules.longer[path] ?? rules.maxLines;
  return [
    ...(posix.basename(path) === 'index.ts' ? ['is a barrel: import from the file that has it'] : []),
    ...(lines > most ? [`has ${lines} lines: ${most} are what one can read in a sitting`] : []),
    ...nodesOf(source).flatMap((node) => (isDefaultExport(node) ? ['has a default export: exports are named'] : [])),
    ...nodesOf(source).flatMap((node) => (ts.isEnumDeclaration(node) ? ['has an enum: use a union of literals'] : [])),
  ];
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node) || ts.isNamespaceExport(node)) return node.name.text === 'default';
  return ts.canHaveModifiers(node) && has(node, ts.SyntaxKind.DefaultKeyword);
}

function has(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false;
}

const IMPURE_GLOBALS = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process', 'console', 'performance'],
  ...['fetch', 'globalThis', 'logger', 'Promise'],
]);
const IMPURE_MEMBERS = new Set(['Date.now', 'Math.random', 'crypto.randomUUID', 'crypto.getRandomValues']);

function forbiddenCode(node: ts.Node, path: string, rules: Rules): readonly string[] {
  const found: string[] = [];
  if (path !== rules.environment && readsEnvironment(node)) {
    found.push(`reads process.env: only ${rules.environment} does`);
  }
  if (layerName(path) !== rules.pure) return found;
  const isPure = `${rules.pure} is pure and synchronous`;
  if (ts.isAwaitExpression(node)) found.push(`awaits: ${isPure}`);
  if (ts.canHaveModifiers(node) && has(node, ts.SyntaxKind.AsyncKeyword)) found.push(`is async: ${isPure}`);
  if (ts.isPropertyAccessExpression(node) && IMPURE_MEMBERS.has(node.getText())) {
    found.push(`uses ${node.getText()}: ${isPure}`);
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0) {
    found.push(`uses the clock: ${isPure}`);
  }
  if (ts.isImportSpecifier(node) && (node.propertyName ?? node.name).text.startsWith('random')) {
    found.push(`imports ${node.getText()}: ${isPure}`);
  }
  if (ts.isIdentifier(node) && IMPURE_GLOBALS.has(node.text) && !isName(node))
    found.push(`uses ${node.text}: ${isPure}`);
  return found;
}

/** `process.env`, `process['env']`, `const { env } = process`. */
function readsEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.getText() === 'process.env';
  if (ts.isElementAccessExpression(node)) return node.expression.getText() === 'process';
  return ts.isVariableDeclaration(node) && node.initializer?.getText() === 'process';
}

/** True when the identifier only names a member, and refers to nothing. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  return (
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}
