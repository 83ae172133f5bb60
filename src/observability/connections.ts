// The open connections of a server, so that whoever opens many and says nothing cannot keep others out.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The open connections, oldest first. Where there are too many, the newest is served: whoever opens connections and says nothing
 * must not keep kubelet or the API server out.
 */
export class Connections {
  readonly #most: number;
  readonly #idle = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  constructor(most: number) {
    this.#most = most;
  }

  admit(socket: Socket): void {
    if (this.#idle.size + this.#busy.size >= this.#most) this.#dropOldest();
    this.#idle.add(socket);
    socket.once('close', () => this.#forget(socket));
  }

  /** Spares the connection until its answer has been sent. */
  answer(socket: Socket, response: ServerResponse): void {
    this.#idle.delete(socket);
    this.#busy.add(socket);
    response.once('close', () => {
      this.#busy.delete(socket);
      if (!socket.destroyed) this.#idle.add(socket);
    });
  }

  #dropOldest(): void {
    const [oldest] = this.#idle.size > 0 ? this.#idle : this.#busy;
    if (oldest === undefined) return;
    this.#forget(oldest);
    oldest.destroy();
  }

  #forget(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }
}
