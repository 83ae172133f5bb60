// A TCP proxy between the program and the API server, that can do what networks do: cut, forget, refuse.
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane/control-plane.ts';
import { PROGRAM_USER } from './world.ts';

/** The proxy; starts open. */
export interface TcpProxy {
  /** A kubeconfig of the program's user that leads through the proxy. */
  readonly kubeconfig: string;
  /** Connections that are open. */
  readonly connections: number;
  /** Breaks every connection; new ones pass. */
  cut(): void;
  /** Every connection stays open for ever, but nothing passes any more, as when a firewall forgets them; new ones pass. */
  forget(): void;
  /** Breaks every connection and refuses new ones. */
  refuse(): Promise<void>;
  /** Accepts connections again, on the same port. */
  accept(): Promise<void>;
  stop(): Promise<void>;
}

let proxies = 0;

/** Starts a proxy in front of the API server of `plane`. */
export async function startTcpProxy(plane: ControlPlane): Promise<TcpProxy> {
  const target = Number(new URL(plane.url).port);
  const open = new Set<Socket>();
  let passing = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;

  const join_ = (socket: Socket): void => {
    const onward = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(from);
      passing.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk) => {
        if (passing.has(from)) to.write(chunk);
      });
      from.on('end', () => {
        if (passing.has(from)) to.end();
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(from);
        // Whom the network has forgotten is told nothing.
        if (passing.delete(from)) to.destroy();
      });
    }
  };
  const accept = async (): Promise<void> => {
    if (server !== undefined) return;
    const listening = createServer(join_);
    server = listening;
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    port = (listening.address() as AddressInfo).port;
  };
  const cut = (): void => {
    for (const socket of [...open]) socket.resetAndDestroy();
  };
  const refuse = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    cut();
    if (closing !== undefined) await new Promise<void>((resolve) => closing.close(() => resolve()));
  };

  await accept();
  proxies += 1;
  const kubeconfig = join(plane.folder, `kubeconfig-proxy-${proxies}`);
  const direct = await readFile(plane.kubeconfig(PROGRAM_USER), 'utf8');
  await writeFile(kubeconfig, direct.replaceAll(plane.url, `https://127.0.0.1:${port}`), { mode: 0o600 });
  return {
    kubeconfig,
    get connections() {
      return open.size / 2;
    },
    cut,
    forget: () => void (passing = new Set()),
    refuse,
    accept,
    stop: refuse,
  };
}
