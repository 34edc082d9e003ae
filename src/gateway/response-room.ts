import type { ServerResponse } from 'node:http';

/** Waits until the client has taken what was written, or is gone. */
export function roomIn(response: ServerResponse): Promise<void> {
  return eventOf(response, 'drain');
}

/** Waits until everything was written to the end, or the client is gone. */
export function endOf(response: ServerResponse): Promise<void> {
  return eventOf(response, 'finish');
}

function eventOf(response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  if (response.closed || (event === 'finish' && response.writableFinished)) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      response.off(event, go);
      response.off('close', go);
      resolve();
    };
    response.on(event, go);
    response.on('close', go);
  });
}
