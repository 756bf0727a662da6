// The gateway under test and the few requests that every file here makes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** Where it listens, for example `http://127.0.0.1:4000`; `run.sh` sets it. */
export const origin = process.env.TANDEM_URL ?? 'http://127.0.0.1:4000';
export const url = `${origin}/graphql`;
export const socketUrl = url.replace(/^http/, 'ws');

/** The person every sandbox knows. */
export const email = 'ana.paz@example.com';

/** Posts an operation and gives the whole answer; fails unless it is JSON without `errors`. */
export async function execute(query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data;
}

/** Writes a note with that text, unique by default, for the well-known person; gives the text. */
export async function writeNote(body = `note ${randomUUID()}`) {
  const data = await execute(
    `mutation ($input: CreateNoteInput!) {
       createNote(input: $input) { note { body } userErrors { code message } }
     }`,
    { input: { contact: { email }, body } },
  );
  assert.deepEqual(data.createNote, { note: { body }, userErrors: [] });
  return body;
}

/** What a subscriber of the well-known person asks for. */
export const contactChanged = `subscription {
  contactChanged(by: { email: "${email}" }) {
    email
    notes(first: 100) { nodes { body } }
  }
}`;

/** The texts of the notes in one event of `contactChanged`. */
export function noteTexts(event) {
  assert.equal(event.errors, undefined, JSON.stringify(event.errors));
  assert.equal(event.data.contactChanged.email, email);
  return event.data.contactChanged.notes.nodes.map((note) => note.body);
}

/** The promise's value, or an error that says what did not happen in time. */
export async function within(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing in ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
