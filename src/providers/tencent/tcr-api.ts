// The registry API of Tencent Cloud, 2019-09-24: instances and their domains, tokens and service accounts (tcr.md sections 11 and 12).
import { textOf } from '../../core/fields.ts';
import { readTokenLife } from '../../core/token-life.ts';
import type { EpochMs } from '../../core/types.ts';
import type { CodeRow } from '../error-codes.ts';
import type { CloudEndpoints } from '../provider.ts';
import type { CloudAnswer, TencentClient } from './cloud-request.ts';
import type { TencentKey } from './identity.ts';
import { fetchPages } from './pages.ts';

/** Who asks, and where. */
export interface TcrCall {
  readonly region: string;
  readonly endpoints: CloudEndpoints;
  readonly key: TencentKey;
  /** Our clock. */
  readonly now: () => EpochMs;
}

/** A call about one instance. */
export interface InstanceCall extends TcrCall {
  readonly registryId: string;
}

/** What registries take as user name and password. */
export interface MintedLogin {
  readonly username: string;
  /** Secret. */
  readonly password: string;
  /** By our clock. */
  readonly expiresAt: EpochMs;
  /** What the cloud calls it; undefined = it cannot be revoked. */
  readonly id: string | undefined;
  /** The cloud's clock less ours, milliseconds. */
  readonly clockOffsetMs: number;
}

/** A token or a service account that is there. */
export interface Minted {
  /** Id of a token, full name of an account. */
  readonly id: string;
  readonly description: string;
  /** False = disabled, or over. */
  readonly isLive: boolean;
}

/** An instance as the cloud describes it. */
export interface Registry {
  readonly registryId: string;
  /** The first label of its domain. */
  readonly name: string;
  readonly region: string | undefined;
  /** Domain for the public network. */
  readonly publicDomain: string | undefined;
  /** `Running`, or why not; for people. */
  readonly status: string | undefined;
}

/** What a service account is made with. */
export interface ServiceAccountWish {
  readonly name: string;
  readonly description: string;
  /** Namespaces of the registry; permissions reach no further up (tcr.md section 11). */
  readonly namespaces: readonly string[];
  readonly expiresAt: EpochMs;
}

/** The calls. Every failure is a ProviderError; lists are whole. */
export interface TcrApi {
  /** `longterm` leaves a token behind at the cloud; `description` is of that one. */
  createInstanceToken(
    call: InstanceCall & { readonly type: 'temp' | 'longterm'; readonly description?: string | undefined },
    signal: AbortSignal,
  ): Promise<MintedLogin>;
  /** Long-term tokens. */
  describeInstanceTokens(call: InstanceCall, signal: AbortSignal): Promise<readonly Minted[]>;
  deleteInstanceToken(call: InstanceCall & { readonly id: string }, signal: AbortSignal): Promise<void>;
  /** Undefined = there is no such instance in the region. */
  describeInstance(call: InstanceCall, signal: AbortSignal): Promise<Registry | undefined>;
  /** In whatever region it is; undefined = there is no instance of that name. */
  findInstance(call: TcrCall & { readonly name: string }, signal: AbortSignal): Promise<Registry | undefined>;
  /** Customers' own domains that work, in lower case. */
  customizedDomains(call: InstanceCall, signal: AbortSignal): Promise<readonly string[]>;
  createServiceAccount(call: InstanceCall & ServiceAccountWish, signal: AbortSignal): Promise<MintedLogin>;
  describeServiceAccounts(call: InstanceCall, signal: AbortSignal): Promise<readonly Minted[]>;
  deleteServiceAccount(call: InstanceCall & { readonly id: string }, signal: AbortSignal): Promise<void>;
}

/** What a service account may do, and no more. */
const PULL_ACTIONS: readonly string[] = ['tcr:PullRepository', 'tcr:DescribeHelmCharts'];

/** A long-term token lives ten years: what says more is no instant, milliseconds. */
const MAX_LIFE_MS = 4_000 * 86_400_000;

/** Below, a field of milliseconds holds seconds (tcr.md section 12). */
const MIN_MILLISECONDS = 1e12;

type Fields = Readonly<Record<string, unknown>>;

/** One call, of which pages may follow. */
interface Question {
  readonly action: string;
  readonly call: TcrCall;
  readonly parameters: Fields;
  readonly subject: string;
  readonly codes?: readonly CodeRow[];
}

/** There is no domain, which is no failure of the cloud's. */
const NO_DOMAIN: readonly CodeRow[] = [
  [/InternalError\.ErrNotExist/, 'InstanceNotFound', () => 'the instance has no domain of its own'],
];

/** Builds the calls on the client seam. */
export function createTcrApi(client: TencentClient): TcrApi {
  const ask = ({ action, call, parameters, subject, codes }: Question, signal: AbortSignal): Promise<CloudAnswer> => {
    const { region, endpoints, key, now } = call;
    const more = codes === undefined ? {} : { codes };
    return client.call({ service: 'tcr', action, parameters, region, endpoints, key, now, subject, ...more }, signal);
  };
  const askInstance = (action: string, call: InstanceCall, parameters: Fields, signal: AbortSignal) =>
    ask({ action, call, parameters: { RegistryId: call.registryId, ...parameters }, subject: subjectOf(call) }, signal);

  return {
    async createInstanceToken({ type, description, ...call }, signal) {
      const parameters = { TokenType: type, Desc: description };
      const answer = await askInstance('CreateInstanceToken', call, parameters, signal);
      const { Username, Token, ExpTime, TokenId } = answer.response;
      const id = textOf(TokenId);
      if (type === 'longterm' && (id === undefined || id === '')) throw answer.malformed('TokenId');
      const fields = { Username, Token, ExpTime };
      return { ...loginOf(fields, answer, call.now()), id: id === '' || type === 'temp' ? undefined : id };
    },
    async describeInstanceTokens(call, signal) {
      const { items, malformed } = await fetchPages('Tokens', (page) =>
        askInstance('DescribeInstanceToken', call, page, signal),
      );
      return items.map(({ Id, Desc, Enabled, ExpiredAt }) => {
        if (typeof Id !== 'string' || Id === '') throw malformed('Tokens');
        const isLive = Enabled !== false && !isOver(ExpiredAt, call.now());
        return { id: Id, description: textOf(Desc) ?? '', isLive };
      });
    },
    async deleteInstanceToken({ id, ...call }, signal) {
      await askInstance('DeleteInstanceToken', call, { TokenId: id }, signal);
    },
    async describeInstance(call, signal) {
      const question = { action: 'DescribeInstances', call, subject: subjectOf(call) };
      const { items, malformed } = await fetchPages('Registries', (page) =>
        ask({ ...question, parameters: { Registryids: [call.registryId], ...page } }, signal),
      );
      return items.map((item) => registryOf(item, malformed)).find(({ registryId }) => registryId === call.registryId);
    },
    async findInstance({ name, ...call }, signal) {
      const filter = { AllRegion: true, Filters: [{ Name: 'RegistryName', Values: [name] }] };
      const question = { action: 'DescribeInstances', call, subject: `the instance ${name}` };
      const { items, malformed } = await fetchPages('Registries', (page) =>
        ask({ ...question, parameters: { ...filter, ...page } }, signal),
      );
      return items.map((item) => registryOf(item, malformed)).find((registry) => registry.name === name);
    },
    async customizedDomains(call, signal) {
      const question = { action: 'DescribeInstanceCustomizedDomain', call, subject: subjectOf(call), codes: NO_DOMAIN };
      const { items } = await fetchPages('DomainInfoList', (page) =>
        ask({ ...question, parameters: { RegistryId: call.registryId, ...page } }, signal),
      );
      const usable = items.filter(({ Status }) => /^success$/i.test(textOf(Status) ?? ''));
      const names = usable.map(({ DomainName }) => (textOf(DomainName) ?? '').trim().toLowerCase());
      return [...new Set(names)].filter((name) => name !== '');
    },
    async createServiceAccount({ name, description, namespaces, expiresAt, ...call }, signal) {
      const Permissions = namespaces.map((Resource) => ({ Resource, Actions: PULL_ACTIONS }));
      const parameters = { Name: name, Description: description, Permissions, ExpiresAt: expiresAt };
      const answer = await askInstance('CreateServiceAccount', call, parameters, signal);
      const { Name, Password, ExpiresAt } = answer.response;
      const login = loginOf({ Name, Password, ExpiresAt }, answer, call.now());
      const username = fullName(login.username);
      return { ...login, username, id: username };
    },
    async describeServiceAccounts(call, signal) {
      const { items, malformed } = await fetchPages('ServiceAccounts', (page) =>
        askInstance('DescribeServiceAccounts', call, { All: true, ...page }, signal),
      );
      return items.map(({ Name, Description, Disable, ExpiresAt }) => {
        if (typeof Name !== 'string' || Name === '') throw malformed('ServiceAccounts');
        const isLive = Disable !== true && !isOver(ExpiresAt, call.now());
        return { id: fullName(Name), description: textOf(Description) ?? '', isLive };
      });
    },
    async deleteServiceAccount({ id, ...call }, signal) {
      await askInstance('DeleteServiceAccount', call, { Name: id }, signal);
    },
  };
}

/** The cloud puts its prefix before the names of service accounts, and takes them with it. */
function fullName(name: string): string {
  return name.startsWith('tcr$') ? name : `tcr$${name}`;
}

function subjectOf({ registryId, region }: InstanceCall): string {
  return `${registryId} in ${region}`;
}

function registryOf(item: Fields, malformed: CloudAnswer['malformed']): Registry {
  const { RegistryId, RegistryName, RegionName, PublicDomain, Status } = item;
  if (typeof RegistryId !== 'string' || RegistryId === '') throw malformed('RegistryId');
  if (typeof RegistryName !== 'string' || RegistryName === '') throw malformed('RegistryName');
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const publicDomain = text(PublicDomain)?.trim().toLowerCase();
  return {
    registryId: RegistryId,
    name: RegistryName.toLowerCase(),
    region: text(RegionName),
    publicDomain,
    status: text(Status),
  };
}

/** `fields`: user name, password and expiry, in this order, under the names that the answer has for them. */
function loginOf(fields: Fields, { malformed, clockOffsetMs = 0 }: CloudAnswer, now: EpochMs): Omit<MintedLogin, 'id'> {
  const [userField = '', passwordField = '', expiryField = ''] = Object.keys(fields);
  const username = textOf(fields[userField]) ?? '';
  const password = fields[passwordField];
  if (username === '' || username.includes(':')) throw malformed(userField);
  if (typeof password !== 'string' || password === '') throw malformed(passwordField);
  // What the token itself says is what the registry goes by.
  const told = readTokenLife(password)?.expiresAt ?? instantOf(fields[expiryField]);
  if (told === undefined || told > now + MAX_LIFE_MS) throw malformed(expiryField);
  // It is judged by our clock, however wrong: one that is ahead would take it for over, one that is behind for good when it is over.
  return { username, password, expiresAt: told - clockOffsetMs, clockOffsetMs };
}

/** An instant in milliseconds, or in seconds where it is too small; a number, or one as text. */
function instantOf(value: unknown): EpochMs | undefined {
  const at = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof at !== 'number' || !Number.isFinite(at) || at <= 0) return undefined;
  return Math.floor(at < MIN_MILLISECONDS ? at * 1_000 : at);
}

/** True when the time is past; one that is not told never is. */
function isOver(value: unknown, now: EpochMs): boolean {
  const at = instantOf(value);
  return at !== undefined && at <= now;
}
