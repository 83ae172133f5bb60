// Reads the API server's audit log: who called what, each call once.
import { open } from 'node:fs/promises';
import { isRecord, text } from './json.ts';

/** One call that reached the API server. */
export interface AuditEvent {
  readonly user: string;
  readonly userAgent: string | undefined;
  readonly verb: string;
  readonly resource: string | undefined;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  /** Absent for creates of objects without a generated name, as the name stands only in the body. */
  readonly name: string | undefined;
  readonly requestURI: string;
  /** The HTTP status; of a watch that of its beginning. */
  readonly code: number | undefined;
  /** When the request arrived, epoch milliseconds. */
  readonly at: number;
}

/**
 * The audit policy: Metadata of every request, each logged once.
 *
 * Watches are logged when they answer, as their end may be ten minutes away. For everything else ResponseStarted stays in:
 * only there does kube-apiserver log a request that failed to authenticate.
 */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [
    { level: 'Metadata', verbs: ['watch'], omitStages: ['RequestReceived', 'ResponseComplete'] },
    { level: 'Metadata', omitStages: ['RequestReceived'] },
  ],
} as const;

/** Reads an audit log that grows; every call of `read` parses only what came since. */
export interface AuditLog {
  /** All events so far, oldest first. The array is the same each time and grows. */
  read(): Promise<readonly AuditEvent[]>;
}

/** Follows the audit log in a file, which need not exist yet. */
export function followAuditLog(file: string): AuditLog {
  const events: AuditEvent[] = [];
  let position = 0;
  let rest = Buffer.alloc(0);
  /** One at a time: two that read from the same place would take the same lines twice. */
  let reading: Promise<unknown> = Promise.resolve();

  return {
    read: () => {
      const next = reading.then(readOn, readOn);
      reading = next;
      return next;
    },
  };

  async function readOn(): Promise<readonly AuditEvent[]> {
    const added = await readFrom(file, position);
    position += added.length;
    const bytes = Buffer.concat([rest, added]);
    const end = bytes.lastIndexOf(0x0a) + 1;
    rest = bytes.subarray(end);
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      const event = parseAuditLine(line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }
}

/**
 * Parses one line of the log; undefined for an empty one.
 *
 * @throws Error when the line is not an audit event
 */
export function parseAuditLine(line: string): AuditEvent | undefined {
  if (line.trim() === '') return undefined;
  const event: unknown = JSON.parse(line);
  if (!isRecord(event) || event.kind !== 'Event') throw new Error(`Not an audit event: ${line.slice(0, 200)}`);
  const user = isRecord(event.user) ? event.user : {};
  const object = isRecord(event.objectRef) ? event.objectRef : {};
  const status = isRecord(event.responseStatus) ? event.responseStatus : {};
  return {
    user: text(user.username) ?? '',
    userAgent: text(event.userAgent),
    verb: text(event.verb) ?? '',
    resource: text(object.resource),
    subresource: text(object.subresource),
    namespace: text(object.namespace),
    name: text(object.name),
    requestURI: text(event.requestURI) ?? '',
    code: typeof status.code === 'number' ? status.code : undefined,
    at: Date.parse(text(event.requestReceivedTimestamp) ?? ''),
  };
}

async function readFrom(file: string, position: number): Promise<Buffer> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
