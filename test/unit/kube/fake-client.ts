// A Kubernetes API for unit tests: answers are functions, watches are streams that the test feeds. No socket.
import { KubeError } from '../../../src/core/errors.ts';
import type { KubeCall, KubeClient, KubeObject, KubeStreamCall } from '../../../src/kube/client.ts';

/** A watch that is open: what the test puts in comes out. */
export interface FakeWatch {
  readonly call: KubeStreamCall;
  send(type: string, object: unknown): void;
  line(text: string): void;
  /** Ends it as the server would, or with an error. */
  end(error?: KubeError): void;
}

/** The fake and what it saw. */
export interface FakeClient extends KubeClient {
  readonly calls: KubeCall[];
  readonly watches: FakeWatch[];
}

/** A client whose calls `answer` answers; throwing is a failed call. */
export function createFakeClient(answer: (call: KubeCall) => KubeObject | Promise<KubeObject>): FakeClient {
  const calls: KubeCall[] = [];
  const watches: FakeWatch[] = [];
  return {
    calls,
    watches,
    call: async (call) => {
      calls.push(call);
      await Promise.resolve();
      return answer(call);
    },
    stream: async (call) => {
      await Promise.resolve();
      const { watch, lines } = openWatch(call);
      watches.push(watch);
      return lines;
    },
    close: () => Promise.resolve(),
  };
}

function openWatch(call: KubeStreamCall): { readonly watch: FakeWatch; readonly lines: AsyncIterable<string> } {
  const waiting: string[] = [];
  let ended: { readonly error: KubeError | undefined } | undefined;
  let wake = Promise.withResolvers<undefined>();
  const changed = (): void => {
    wake.resolve(undefined);
    wake = Promise.withResolvers<undefined>();
  };
  const line = (text: string): void => {
    waiting.push(text);
    changed();
  };
  const end = (error?: KubeError): void => {
    ended = { error };
    changed();
  };
  call.signal.addEventListener('abort', () => end(new KubeError('Aborted', 'stopped')));

  async function* lines(): AsyncGenerator<string> {
    for (;;) {
      for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) yield text;
      if (ended?.error !== undefined) throw ended.error;
      if (ended !== undefined) return;
      await wake.promise;
    }
  }
  const send = (type: string, object: unknown): void => line(JSON.stringify({ type, object }));
  return { watch: { call, send, line, end }, lines: lines() };
}
