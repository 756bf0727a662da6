// Subscriptions as clients of other makers see them: a real `graphql-ws` and a real SSE client.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';

import { contactChanged, noteTexts, socketUrl, url, within, writeNote } from './gateway.mjs';

/**
 * Writes notes until the subscription shows one: it has no signal that says it has begun. An event
 * may overtake the answer to the mutation that caused it, so the texts are noted first.
 */
async function seesAWrittenNote(client) {
  const events = client.iterate({ query: contactChanged });
  const written = [];
  let done = false;
  const writing = (async () => {
    while (!done) {
      written.push(`note ${randomUUID()}`);
      await writeNote(written.at(-1));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  let event;
  try {
    event = await within(15, 'an event', events.next());
  } finally {
    done = true;
    // An event may come before the answer to the mutation that caused it.
    await writing;
    await events.return();
  }
  assert.equal(event.done, false, 'the stream goes on');
  const texts = noteTexts(event.value);
  assert.ok(written.some((body) => texts.includes(body)), 'the event has the written note');
}

/** A query over a streaming transport is a stream of one answer. */
async function getsAQueryAnswered(client) {
  const answers = [];
  for await (const answer of client.iterate({ query: '{ __typename }' })) answers.push(answer);
  assert.deepEqual(answers, [{ data: { __typename: 'Query' } }]);
}

const clients = {
  'a graphql-ws client': () =>
    createSocketClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 }),
  'an SSE client': () => createSseClient({ url, singleConnection: false, retryAttempts: 0 }),
};

const expectations = {
  'receives contactChanged after a note is written': seesAWrittenNote,
  'gets a query answered and the stream completed': getsAQueryAnswered,
};

for (const [who, connect] of Object.entries(clients)) {
  for (const [what, expected] of Object.entries(expectations)) {
    test(`${who} ${what}`, async () => {
      const client = connect();
      try {
        await expected(client);
      } finally {
        await client.dispose();
      }
    });
  }
}
