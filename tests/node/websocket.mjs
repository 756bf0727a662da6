// The letter of `graphql-transport-ws`: messages and close codes, spoken by hand.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import WebSocket from 'ws';

import { contactChanged, socketUrl, within } from './gateway.mjs';

/** Left open, one would keep the process from ending. */
const sockets = new Set();
afterEach(() => {
  for (const socket of sockets) socket.terminate();
  sockets.clear();
});

/** A connection whose messages can be awaited one by one. */
class Connection {
  #inbox = [];
  #waiting = [];

  static async open(protocol = 'graphql-transport-ws') {
    const socket = new WebSocket(socketUrl, protocol);
    sockets.add(socket);
    const connection = new Connection(socket);
    await within(5, 'the handshake', new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    }));
    return connection;
  }

  static async acknowledged() {
    const connection = await Connection.open();
    connection.send({ type: 'connection_init' });
    assert.equal((await connection.message()).type, 'connection_ack');
    return connection;
  }

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString());
      const next = this.#waiting.shift();
      if (next) next(message);
      else this.#inbox.push(message);
    });
  }

  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  message() {
    const ready = this.#inbox.shift();
    if (ready) return Promise.resolve(ready);
    return within(10, 'a message', new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** The next message that is about an operation; a server may ping at any time. */
  async answer() {
    for (;;) {
      const message = await this.message();
      if (message.type !== 'ping' && message.type !== 'pong') return message;
    }
  }

  closeCode(seconds = 10) {
    return within(seconds, 'the close', this.closed);
  }
}

function subscribe(id, query) {
  return { id, type: 'subscribe', payload: { query } };
}

test('the subprotocol is agreed on', async () => {
  const connection = await Connection.open();
  assert.equal(connection.socket.protocol, 'graphql-transport-ws');
});

test('a ping is answered by a pong, even before the connection is initialised', async () => {
  const connection = await Connection.open();
  connection.send({ type: 'ping' });
  assert.equal((await connection.message()).type, 'pong');
  connection.send({ type: 'connection_init' });
  assert.equal((await connection.message()).type, 'connection_ack');
  connection.send({ type: 'ping', payload: { at: 1 } });
  assert.equal((await connection.message()).type, 'pong');
  connection.send({ type: 'pong' });
  connection.send(subscribe('after', '{ __typename }'));
  assert.equal((await connection.answer()).type, 'next', 'an unasked pong changes nothing');
});

test('a query gives one next and a complete', async () => {
  const connection = await Connection.acknowledged();
  connection.send(subscribe('one', '{ __typename }'));
  const data = { __typename: 'Query' };
  assert.deepEqual(await connection.answer(), { id: 'one', type: 'next', payload: { data } });
  assert.deepEqual(await connection.answer(), { id: 'one', type: 'complete' });
  connection.send(subscribe('one', '{ __typename }'));
  assert.equal((await connection.answer()).type, 'next', 'a finished id may be used again');
});

test('an operation that cannot run gives an error message and no complete', async () => {
  const connection = await Connection.acknowledged();
  for (const query of ['{ noSuchField }', '{ not graphql']) {
    connection.send(subscribe('bad', query));
    const answer = await connection.answer();
    assert.equal(answer.type, 'error', query);
    assert.equal(answer.id, 'bad');
    assert.ok(Array.isArray(answer.payload) && answer.payload[0].message, 'a list of errors');
  }
  connection.send(subscribe('good', '{ __typename }'));
  assert.equal((await connection.answer()).id, 'good', 'the connection is as good as before');
});

test('a completed subscription frees its id and the connection', async () => {
  const connection = await Connection.acknowledged();
  connection.send(subscribe('stream', contactChanged));
  connection.send({ id: 'stream', type: 'complete' });
  connection.send({ id: 'never-known', type: 'complete' });
  connection.send(subscribe('stream', '{ __typename }'));
  const answer = await connection.answer();
  assert.deepEqual([answer.id, answer.type], ['stream', 'next']);
});

const malformed = {
  'no JSON': 'hello',
  'JSON that is no object': '[]',
  'no type': '{}',
  'an unknown type': '{"type":"start"}',
  'a subscribe without an id': '{"type":"subscribe","payload":{"query":"{ __typename }"}}',
  'a subscribe without a query': '{"type":"subscribe","id":"1","payload":{}}',
};
for (const [what, text] of Object.entries(malformed)) {
  test(`4400 closes after ${what}`, async () => {
    const connection = await Connection.acknowledged();
    connection.send(text);
    assert.equal(await connection.closeCode(), 4400);
  });
}

test('4401 closes when an operation comes before the acknowledgement', async () => {
  const connection = await Connection.open();
  connection.send(subscribe('early', '{ __typename }'));
  assert.equal(await connection.closeCode(), 4401);
});

test('4408 closes when nothing initialises the connection in time', async () => {
  const connection = await Connection.open();
  assert.equal(await connection.closeCode(20), 4408);
});

test('4409 closes when an id is used while its operation runs', async () => {
  const connection = await Connection.acknowledged();
  connection.send(subscribe('twice', contactChanged));
  connection.send(subscribe('twice', contactChanged));
  assert.equal(await connection.closeCode(), 4409);
});

test('4429 closes when the connection is initialised twice', async () => {
  const connection = await Connection.acknowledged();
  connection.send({ type: 'connection_init' });
  assert.equal(await connection.closeCode(), 4429);
});

for (const protocol of ['graphql-ws', ['soap', 'graphql-ws'], []]) {
  test(`4406 closes a connection that offers ${JSON.stringify(protocol)}`, async () => {
    const connection = await Connection.open(protocol);
    assert.equal(await connection.closeCode(), 4406);
  });
}

test('the better of two offered protocols is taken', async () => {
  const connection = await Connection.open(['graphql-ws', 'graphql-transport-ws']);
  assert.equal(connection.socket.protocol, 'graphql-transport-ws');
});
