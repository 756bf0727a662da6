// The whole way of a consent in a real browser, from the link to the page that says it is done, and
// what the gateway may do after each.
// Usage alone, on a `tandem serve --sandbox`: TANDEM_URL=http://127.0.0.1:4000 node connecting.mjs
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { email, execute, origin, url, writeNote } from './gateway.mjs';

const READING = [
  'contacts.readonly',
  'locations/customFields.readonly',
  'locations/tags.readonly',
  'locations/tasks.readonly',
  'locations.readonly',
  'calendars/events.readonly',
];

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
});

after(async () => {
  await browser?.close();
});

/** Where a person grants access. */
async function link(scopes) {
  const data = await execute(
    `mutation ($scopes: [String!]) {
       connectHighLevel(input: { scopes: $scopes }) { authorizationUrl userErrors { message } }
     }`,
    { scopes },
  );
  assert.deepEqual(data.connectHighLevel.userErrors, []);
  return data.connectHighLevel.authorizationUrl;
}

/** Grants access; what the last page says. `scopes`: what the page must ask for. */
async function grant(address, scopes) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address);
    const asked = await page.locator('li').allTextContents();
    assert.deepEqual(asked.toSorted(), scopes.toSorted());
    await page.locator('#approve').click();
    await page.waitForURL(`${origin}/oauth/highlevel/callback**`);
    return await page.locator('main p').textContent();
  } finally {
    await context.close();
  }
}

/** How the connection to HighLevel is. */
async function connection() {
  const data = await execute('{ upstreams { system state scopes credential { kind } } }');
  return data.upstreams.find((upstream) => upstream.system === 'HIGHLEVEL');
}

/** The code of the first error that a document is answered with. */
async function refusal(query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  return answer.errors?.[0].extensions.code;
}

test('the first consent is for reading: people are read and previewed, and not written', async () => {
  const said = await grant(await link(undefined), READING);
  assert.equal(said, 'HighLevel is connected. You can close this page.');
  const { state, credential } = await connection();
  assert.deepEqual({ state, kind: credential.kind }, { state: 'READ_ONLY', kind: 'OAUTH' });
  const read = await execute(
    `query ($email: EmailAddress!) {
       contact(by: { email: $email }) { email highlevel { contactId } }
       syncPlan(by: { email: $email }) { reasons }
     }`,
    { email },
  );
  assert.equal(read.contact.email, email);
  assert.ok(read.contact.highlevel.contactId);
  assert.ok(read.syncPlan);
  const write = `mutation ($email: EmailAddress!) {
    addTags(input: { contact: { email: $email }, tags: ["x"] }) { userErrors { code } }
  }`;
  assert.equal(await refusal(write, { email }), 'READ_ONLY');
});

test('the second consent is for writing', async () => {
  const scopes = [...READING, 'contacts.write'];
  await grant(await link(scopes), scopes);
  const { state, scopes: held } = await connection();
  assert.equal(state, 'CONNECTED');
  assert.ok(held.includes('contacts.write'));
  await writeNote();
});

test('a way back from another browser leads nowhere', async () => {
  const scopes = [...READING, 'contacts.write'];
  const [one, other] = [await browser.newContext(), await browser.newContext()];
  try {
    const page = await one.newPage();
    await page.goto(await link(scopes));
    // The button's answer, not followed: its address is opened elsewhere.
    const approved = await one.request.post(page.url(), { form: {}, maxRedirects: 0 });
    const back = approved.headers().location;
    assert.ok(back.startsWith(`${origin}/oauth/highlevel/callback?code=`));
    const elsewhere = await other.newPage();
    const response = await elsewhere.goto(back);
    assert.equal(response.status(), 400);
    assert.match(await elsewhere.locator('main p').textContent(), /another browser/);
  } finally {
    await one.close();
    await other.close();
  }
});
