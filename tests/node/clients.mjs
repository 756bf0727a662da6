// Subscriptions as clients of other makers see them: a real `graphql-ws` and a real SSE client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';

import { contactChanged, noteTexts, socketUrl, url, within, writeNote } from './gateway.mjs';

/** The subscription has no "ready" signal, so notes are written until one is seen. */
async function seesAWrittenNote(events) {
  const written = [];
  let done = false;
  const writing = (async () => {
    while (!done) {
      written.push(await writeNote());
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
  }
  assert.equal(event.done, false, 'the stream goes on');
  const texts = noteTexts(event.value);
  assert.ok(written.some((body) => texts.includes(body)), 'the event has the written note');
}

test('a graphql-ws client receives contactChanged after a note is written', async () => {
  const client = createSocketClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const events = client.iterate({ query: contactChanged });
  await seesAWrittenNote(events);
  await events.return();
  await client.dispose();
});

test('an SSE client receives contactChanged after a note is written', async () => {
  const client = createSseClient({ url, singleConnection: false, retryAttempts: 0 });
  const events = client.iterate({ query: contactChanged });
  await seesAWrittenNote(events);
  await events.return();
  client.dispose();
});

test('a graphql-ws client gets a query answered and the stream completed', async () => {
  const client = createSocketClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const answers = [];
  for await (const answer of client.iterate({ query: '{ __typename }' })) answers.push(answer);
  assert.deepEqual(answers, [{ data: { __typename: 'Query' } }]);
  await client.dispose();
});

test('an SSE client gets a query answered and the stream completed', async () => {
  const client = createSseClient({ url, singleConnection: false, retryAttempts: 0 });
  const answers = [];
  for await (const answer of client.iterate({ query: '{ __typename }' })) answers.push(answer);
  assert.deepEqual(answers, [{ data: { __typename: 'Query' } }]);
  client.dispose();
});
