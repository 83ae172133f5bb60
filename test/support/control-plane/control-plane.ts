// A real control plane for tests and the demo: etcd, kube-apiserver and, when asked, kube-controller-manager.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createApiClient, type ApiAnswer, type ApiClient, type ApiRequest } from './api-client.ts';
import { followAuditLog, type AuditEvent, type AuditLog } from './audit-log.ts';
import { writeClusterFiles, writeKubeconfigs } from './cluster-files.ts';
import { apiServerSpec, controllerManagerSpec, etcdSpec } from './components.ts';
import { freePort } from './ports.ts';
import { startProcess, type ProcessSpec, type RunningProcess, type StopOptions } from './processes.ts';
import type { Progress } from './progress.ts';
import { createRunFolder } from './run-folder.ts';
import type { ToolName } from './tool-table.ts';
import { findTools } from './tools.ts';
import { ADMIN, allUsers, buildTokenFile, CONTROLLER_MANAGER, makeTokens } from './users.ts';
import type { ControlPlaneUser } from './users.ts';

/** What a control plane shall have. */
export interface ControlPlaneOptions {
  /** Who may authenticate besides `admin`; what they may do is up to the RBAC objects that the caller creates. */
  readonly users?: readonly ControlPlaneUser[];
  /** Runs kube-controller-manager too: default ServiceAccounts, deletion of namespaces, garbage collection. */
  readonly controllerManager?: boolean;
  /** The oldest kube-apiserver that there is in the place of the newest; goes with no controller manager, which is newer. */
  readonly oldest?: boolean;
  /** Logs every call, for `auditEvents`. */
  readonly audit?: boolean;
  /** Further flags of kube-apiserver, such as `--goaway-chance=0.02`. */
  readonly apiServerFlags?: readonly string[];
  /** Told about builds of missing programs. */
  readonly progress?: Progress;
}

/** A control plane that runs. */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT`; stays the same over restarts. */
  readonly url: string;
  /** PEM of the CA of the API server. */
  readonly ca: string;
  readonly caFile: string;
  /** The temporary folder with logs and data; a caller may add files, it is removed by `stop`. */
  readonly folder: string;
  /** Path of a kubeconfig of `admin`, who may do everything. */
  readonly adminKubeconfig: string;
  /** Path of a kubeconfig of a user known from the start. */
  kubeconfig(user: string): string;
  /** The token of a user known from the start. */
  token(user: string): string;
  /** Calls the API as a user, `admin` unless told. Never throws for a status. */
  request(call: Omit<ApiRequest, 'token'> & { readonly user?: string }): Promise<ApiAnswer>;
  /** Every call of everyone that was answered before now, oldest first; needs `audit: true`. */
  auditEvents(): Promise<readonly AuditEvent[]>;
  /** Freezes the API server: connections stay open and nothing is answered. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  /** Stops the API server; clients get "connection refused". */
  stopApiServer(options?: StopOptions): Promise<void>;
  /** Starts it again on the same port with the same data. */
  startApiServer(): Promise<void>;
  restartApiServer(options?: StopOptions): Promise<void>;
  /** What runs at this moment, for tests that look at the processes themselves. */
  processes(): readonly { readonly name: string; readonly pid: number }[];
  /** Ends every process and removes the folder. May be called more than once. */
  stop(): Promise<void>;
}

/** Paths of programs. */
interface Tools {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string | undefined;
}

const AUDIT_FLUSH_MS = 10_000;

/**
 * Starts a control plane on free ports of 127.0.0.1 and waits until it serves.
 *
 * Nothing of it outlives this process, however that ends. What is missing is built first, which takes minutes: pass
 * `progress` or look at standard error.
 *
 * @throws Error with the name of the process that failed and the end of its log
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  if (options.oldest === true && options.controllerManager === true)
    throw new Error('The controller manager must not be newer than the API server');
  const tools = await findComponents(options);
  const folder = await createRunFolder('control-plane');
  const stack: Stack = { processes: [], clients: [] };
  const stop = async (): Promise<void> => {
    await Promise.all(stack.clients.map((client) => client.close()));
    // Nothing is worth a clean end here: the data go too.
    await Promise.all(stack.processes.map((running) => running.stop({ signal: 'SIGKILL' })));
    await folder.remove();
  };
  try {
    return { ...(await assemble({ options, tools, folder: folder.path, stack })), folder: folder.path, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function findComponents({
  oldest = false,
  controllerManager = false,
  progress,
}: ControlPlaneOptions): Promise<Tools> {
  const apiServer = oldest ? 'kube-apiserver-oldest' : 'kube-apiserver';
  const names = ['etcd', apiServer, ...(controllerManager ? (['kube-controller-manager'] as const) : [])] as const;
  const found: Readonly<Partial<Record<ToolName, string>>> = await findTools(
    names,
    progress === undefined ? {} : { progress },
  );
  return {
    etcd: found.etcd ?? '',
    apiServer: found[apiServer] ?? '',
    controllerManager: found['kube-controller-manager'],
  };
}

/** What has to be ended, whatever comes in between. */
interface Stack {
  readonly processes: RunningProcess[];
  readonly clients: ApiClient[];
}

async function assemble(of: {
  readonly options: ControlPlaneOptions;
  readonly tools: Tools;
  readonly folder: string;
  readonly stack: Stack;
}): Promise<Omit<ControlPlane, 'folder' | 'stop'>> {
  const { options, tools, stack } = of;
  const users = allUsers(options.users ?? []);
  const tokens = makeTokens(users);
  const files = await writeClusterFiles(of.folder, buildTokenFile(users, tokens));
  const connect = (base: string, ca?: string): ApiClient => {
    const client = createApiClient(base, ca);
    stack.clients.push(client);
    return client;
  };
  const start = async (
    spec: Omit<ProcessSpec, 'ready'>,
    probe: ApiClient,
    call: ApiRequest,
  ): Promise<RunningProcess> => {
    const ready = async (): Promise<boolean> => (await probe.request(call)).status === 200;
    const running = await startProcess({ ...spec, ready });
    stack.processes.push(running);
    return running;
  };

  const etcdUrl = `http://127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  await start(etcdSpec({ command: tools.etcd, files, clientUrl: etcdUrl, peerUrl }), connect(etcdUrl), {
    path: '/readyz',
  });

  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const probe = connect(url);
  const apiServer = apiServerSpec({
    command: tools.apiServer,
    files,
    port,
    etcdUrl,
    audit: options.audit === true,
    flags: options.apiServerFlags ?? [],
  });
  const startApiServer = (): Promise<RunningProcess> => start(apiServer, probe, { path: '/readyz' });
  let current = await startApiServer();
  const restart = async (stopOptions?: StopOptions): Promise<void> => {
    await current.stop(stopOptions);
    current = await startApiServer();
  };

  const ca = await readFile(files.caFile, 'utf8');
  const api = connect(url, ca);
  const kubeconfigs = await writeKubeconfigs({ url, ca, tokens, folder: of.folder });
  const adminToken = known(tokens, ADMIN);
  if (tools.controllerManager !== undefined) {
    await start(
      controllerManagerSpec({
        command: tools.controllerManager,
        files,
        port: await freePort(),
        kubeconfig: known(kubeconfigs, CONTROLLER_MANAGER),
      }),
      api,
      // Its health page answers before its controllers run; this object is the first thing that one of them makes.
      { path: '/api/v1/namespaces/default/serviceaccounts/default', token: adminToken },
    );
  }

  const auditLog = options.audit === true ? followAuditLog(files.auditLogFile) : undefined;
  return {
    url,
    ca,
    caFile: files.caFile,
    adminKubeconfig: known(kubeconfigs, ADMIN),
    kubeconfig: (user) => known(kubeconfigs, user),
    token: (user) => known(tokens, user),
    request: ({ user = ADMIN, ...call }) => api.request({ ...call, token: known(tokens, user) }),
    auditEvents: () => readAuditEvents(auditLog, api, adminToken),
    pauseApiServer: () => current.pause(),
    resumeApiServer: () => current.resume(),
    stopApiServer: async (stopOptions) => {
      await current.stop(stopOptions);
    },
    startApiServer: () => restart(),
    restartApiServer: restart,
    processes: () => stack.processes.filter((running) => running.isRunning()).map(({ name, pid }) => ({ name, pid })),
  };
}

/** A call of our own whose event closes the list: what was answered before it has been logged before it. */
async function readAuditEvents(log: AuditLog | undefined, api: ApiClient, token: string): Promise<AuditEvent[]> {
  if (log === undefined) throw new Error('The control plane was started without `audit: true`');
  const marker = `/version?audit-marker=${randomUUID()}`;
  await api.request({ path: marker, token });
  const deadline = Date.now() + AUDIT_FLUSH_MS;
  for (;;) {
    const events = await log.read();
    const end = events.findLastIndex((event) => event.requestURI === marker);
    if (end >= 0) return events.slice(0, end).filter((event) => !event.requestURI.includes('audit-marker='));
    if (Date.now() > deadline)
      throw new Error(`The audit log did not show ${marker} within ${AUDIT_FLUSH_MS / 1000} s`);
    await delay(10);
  }
}

function known(values: ReadonlyMap<string, string>, user: string): string {
  const value = values.get(user);
  if (value !== undefined) return value;
  throw new Error(`Unknown user ${user}; known: ${[...values.keys()].join(', ')}`);
}
