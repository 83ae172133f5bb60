// The values as values.schema.json: what Helm lets through.
import type { Group, Members, Schema, Section, Value } from './shape.ts';

/** The text of values.schema.json, but for what Prettier changes. */
export function writeSchema(groups: readonly Group[]): string {
  const members: Members = Object.assign({}, ...groups.map((group) => group.members)) as Members;
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart registry-credential-helper',
    ...mapOf(members, false),
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function mapOf(members: Members, isOpen: boolean): Schema {
  const properties = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, schemaOf(member)]));
  return { type: 'object', ...(isOpen ? {} : { additionalProperties: false }), properties };
}

function schemaOf(member: Section | Value): Schema {
  const described = { description: member.about };
  if (member.kind === 'section') return { ...described, ...mapOf(member.members, member.isOpen) };
  return { ...described, ...member.schema };
}
