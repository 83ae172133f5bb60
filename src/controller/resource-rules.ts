// The resources as rules: what each means now, or meant last when it cannot be understood any more.
import type { KnownResource } from '../core/effective-config.ts';
import type { ParsedResource } from '../core/image-pull-secret.ts';
import { secretsOf, type Claim } from '../core/resource-conflicts.ts';
import { concealing } from '../core/resource-issues.ts';
import { sourceDataOf, sourceDigestOf } from '../core/resource-source.ts';
import { includesNamespace } from '../core/scope.ts';
import type { Issue, ObservedNamespace, Rule } from '../core/types.ts';
import type { Resource } from '../kube/resource-objects.ts';
import type { SourceSecret } from '../kube/secret-sources.ts';
import { withoutPassword, type LastGood } from './last-good-specs.ts';

/** One resource, understood as far as possible. */
interface Known extends KnownResource {
  readonly uid: string;
  readonly issues: readonly Issue[];
  /** The spec that the rule is from, where it is not the one that is there; undefined = it is. */
  readonly earlier: LastGood | undefined;
  readonly spec: unknown;
}

/** The rules of all resources that are there. */
export class ResourceRules {
  readonly #parse: (name: string, spec: unknown) => ParsedResource;
  readonly #known = new Map<string, Known>();
  /** How many of them publish a Secret, or keep it as a key. */
  readonly #uses = new Map<string, number>();
  /** What another process kept of those that are not listed yet. */
  #awaited: readonly LastGood[] = [];

  constructor(parse: (name: string, spec: unknown) => ParsedResource) {
    this.#parse = parse;
  }

  /** In the order of their names, with their claims as they are now. */
  all(claimOf: (name: string) => Claim | undefined): readonly KnownResource[] {
    const withClaim = (known: Known): KnownResource => ({ ...known, ...claimOf(known.name) });
    return [...this.#known.values()].map(withClaim).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What is wrong with it, whatever others there are. */
  issuesOf(name: string): readonly Issue[] {
    return this.#known.get(name)?.issues ?? [];
  }

  ruleOf(name: string): Rule | undefined {
    return this.#known.get(name)?.rule;
  }

  /**
   * User name and password that belong to the rule, as a source of credentials; undefined = there is no such resource. After a wrong edit
   * that changed them too they are known no more: the source is the same, and empty, so that nothing is made from those of the edit.
   */
  source(name: string): SourceSecret | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    const digest = digestOf(known) ?? '';
    const found = [known.spec, known.earlier?.spec].map(sourceDataOf);
    return { data: found.find((data) => sourceDigestOf(data) === digest) ?? {}, digest };
  }

  /** Takes a change over. */
  take({ before, after }: { readonly before: Resource | undefined; readonly after: Resource | undefined }): {
    readonly name: string;
    /** Those before and after it; undefined = any: one was there that is not known, or others are decided with it. */
    readonly rules: readonly Rule[] | undefined;
    /** What `source` gives is another one. */
    readonly isOtherSource: boolean;
  } {
    const name = (after ?? before)?.name ?? '';
    const last = this.#known.get(name);
    if (after === undefined) this.#known.delete(name);
    else {
      const { rule, issues } = this.#parse(name, after.spec);
      const conceal = concealing(after.spec);
      const known = { name, uid: after.uid, issues: issues.map(conceal), spec: after.spec };
      // A bad edit must not undo what a good one set up.
      const kept = last?.uid === after.uid ? last : undefined;
      const earlier = rule !== undefined || kept?.rule === undefined ? undefined : (kept.earlier ?? goodOf(kept));
      this.#known.set(name, { ...known, rule: rule ?? kept?.rule, earlier });
    }
    this.#count(last?.rule, -1);
    this.#count(this.#known.get(name)?.rule, 1);
    const isOtherSource = digestOf(last) !== digestOf(this.#known.get(name));
    if (last !== undefined && last.rule === undefined) return { name, rules: undefined, isOtherSource };
    const touched = [last?.rule, this.#known.get(name)?.rule].filter((rule) => rule !== undefined);
    const isAny = touched.some((rule) => this.#decidesOthers(rule));
    return { name, rules: isAny ? undefined : touched, isOtherSource };
  }

  /** Those whose rule is from an earlier spec than the one that is there, and those of `restore` that may be such. */
  keptFrom(): readonly LastGood[] {
    return [...[...this.#known.values()].flatMap(({ earlier }) => earlier ?? []), ...this.#awaited];
  }

  /**
   * Takes over what another process kept, for those that are there and were never understood here; for the others it is kept on, to be
   * given again, as long as they are not all listed. True = there were some.
   */
  restore(all: readonly LastGood[], { areListed }: { readonly areListed: boolean }): boolean {
    const isThere = ({ name, uid }: LastGood): boolean => this.#known.get(name)?.uid === uid;
    this.#awaited = areListed ? [] : all.filter((earlier) => !isThere(earlier));
    let hasSome = false;
    for (const earlier of all.filter(isThere)) {
      const known = this.#known.get(earlier.name);
      const { rule } = this.#parse(earlier.name, earlier.spec);
      if (known === undefined || known.rule !== undefined || rule === undefined) continue;
      this.#known.set(earlier.name, { ...known, rule, earlier });
      this.#count(rule, 1);
      hasSome = true;
    }
    return hasSome;
  }

  /** It is, or was, what keeps another from being served. */
  #decidesOthers(rule: Rule): boolean {
    return [true, false].some((published) =>
      secretsOf(rule, published).some((secret) => this.#uses.has(useOf(secret, !published))),
    );
  }

  /** Counts what is named, so that each change costs the same, however many there are. */
  #count(rule: Rule | undefined, by: 1 | -1): void {
    if (rule === undefined) return;
    for (const published of [true, false]) {
      for (const secret of secretsOf(rule, published)) {
        const use = useOf(secret, published);
        const count = (this.#uses.get(use) ?? 0) + by;
        if (count > 0) this.#uses.set(use, count);
        else this.#uses.delete(use);
      }
    }
  }
}

function goodOf({ name, uid, spec }: Known): LastGood {
  return { name, uid, spec: withoutPassword(spec), source: sourceDigestOf(sourceDataOf(spec)) };
}

/** Of the user name and password that belong to the rule. */
function digestOf(known: Known | undefined): string | undefined {
  return known && (known.earlier?.source ?? sourceDigestOf(sourceDataOf(known.spec)));
}

function useOf(secret: string, published: boolean): string {
  return `${published ? 'publishes' : 'keeps'} ${secret}`;
}

/** The namespaces that one of the rules reaches. */
export function namespacesOf(rules: readonly Rule[], namespaces: Iterable<ObservedNamespace>): readonly string[] {
  return [...namespaces].flatMap((namespace) =>
    rules.some((rule) => includesNamespace(rule.scope, namespace)) ? [namespace.name] : [],
  );
}
