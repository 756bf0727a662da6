// The playground in Debian's headless Chromium, with the network cut off except for the gateway.
// Usage alone: TANDEM_URL=http://127.0.0.1:4000 SCREENSHOTS=folder node browser.mjs
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

import { email, origin, writeNote } from './gateway.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const folder = process.env.SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'tandem-playground-'));
mkdirSync(folder, { recursive: true });

/** Everything that must not happen: requests elsewhere, refused by the CSP, script errors. */
const offences = [];
const EXAMPLES = readdirSync(new URL('../../playground/src/examples/', import.meta.url))
  .filter((file) => file.endsWith('.graphql'))
  .map((file) => file.replace('.graphql', ''));

let browser;
let context;
let page;

before(async () => {
  browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // No other host can be reached; that nobody tries is what `offences` shows.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
  context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
  });
  // Watched and not intercepted: interception turns the browser's cache off, and with it ours.
  context.on('request', (request) => {
    const target = new URL(request.url());
    if (target.origin === origin || ['data:', 'blob:'].includes(target.protocol)) return;
    offences.push(`request to ${target.origin}`);
  });
  context.on('requestfailed', (request) => {
    if (request.failure()?.errorText === 'net::ERR_ABORTED') return;
    offences.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) offences.push(`${response.status()} for ${response.url()}`);
  });
  page = await open();
});

after(async () => {
  await browser?.close();
  console.log(`screenshots: ${folder}`);
});

/** A window on the playground, watched, with the editor ready. */
async function open() {
  const window = await context.newPage();
  window.on('pageerror', (error) => {
    offences.push(`script error: ${error.name} ${error.message} ${error.stack}`);
  });
  window.on('console', (message) => {
    if (message.type() === 'error') offences.push(`console: ${message.text()}`);
  });
  window.on('websocket', (socket) => {
    const { host } = new URL(socket.url());
    if (host !== new URL(origin).host) offences.push(`WebSocket to ${host}`);
  });
  await window.goto(`${origin}/playground`);
  await window.locator('.graphiql-query-editor .view-line').first().waitFor();
  return window;
}

// A tab's text begins with its operation's name; an icon's hidden title follows.
const tab = (window, name) => window.getByRole('tab', { name: new RegExp(`^${name}`) });

async function openTab(window, name) {
  await tab(window, name).first().click();
  await window.locator('.graphiql-query-editor .view-lines', { hasText: name }).waitFor();
}

const run = (window) => window.getByRole('button', { name: /^Execute query/ }).click();

/** Runs the active tab and gives what the gateway answered. */
async function answer(window) {
  const answered = window.waitForResponse(`${origin}/graphql`);
  await run(window);
  return (await answered).json();
}

/** Waits until the response pane shows the text (Monaco writes spaces as non-breaking ones). */
async function response(window, text) {
  await window.waitForFunction(
    (wanted) =>
      document
        .querySelector('.graphiql-response .view-lines')
        ?.textContent.replaceAll('\u00a0', ' ')
        .includes(wanted),
    text,
    { timeout: 15_000 },
  );
}

const picture = (window, name) => window.screenshot({ path: join(folder, `${name}.png`) });

test('the page opens with the example tabs', async () => {
  assert.match(await page.title(), /Tandem/);
  for (const name of EXAMPLES) assert.equal(await tab(page, name).count(), 1, name);
  assert.equal(await page.getByRole('tab').count(), EXAMPLES.length);
});

test('an example query shows data of both systems', async () => {
  await openTab(page, 'OnePerson');
  const { data } = await answer(page);
  assert.equal(data.contact.email, email);
  assert.deepEqual(data.contact.systems, ['DOPPLER', 'HIGHLEVEL']);
  await response(page, data.contact.id);
  await picture(page, '1-one-person');
});

test('a page of contacts comes with notes and tasks, the second time from the cache', async () => {
  await openTab(page, 'ContactsPage');
  const calls = async () => {
    const { extensions } = await answer(page);
    return Object.values(extensions.cost.calls).reduce((sum, count) => sum + count, 0);
  };
  assert.ok((await calls()) > 0, 'the first time asks HighLevel');
  await response(page, '"notes"');
  assert.equal(await calls(), 0, 'the second time asks nobody');
  await response(page, '"notes"');
  await picture(page, '2-contacts-page');
});

test('a subscription shows a note that another window writes', async () => {
  await openTab(page, 'ContactChanged');
  await run(page);
  await page.getByRole('button', { name: /^Stop query/ }).waitFor();

  const other = await open();
  await openTab(other, 'CreateNote');
  await run(other);
  await response(other, '"userErrors": []');
  await picture(other, '3-create-note');
  await other.close();

  // The window's note may have come before the subscription stood, so more are written.
  const line = page.locator('.graphiql-response .view-lines', { hasText: 'contactChanged' });
  for (let tries = 0; tries < 20 && (await line.count()) === 0; tries += 1) {
    await writeNote();
    await page.waitForTimeout(250);
  }
  const body = await writeNote();
  await response(page, body);
  await picture(page, '4-subscription');
  await page.getByRole('button', { name: /^Stop query/ }).click();
  await page.getByRole('button', { name: /^Execute query/ }).waitFor();
});

test('the schema is documented, can be explored, and examples can be had again', async () => {
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  const documentation = (text) =>
    page.locator('.graphiql-doc-explorer').getByText(text, { exact: true }).first();
  await documentation('Query').click();
  await documentation('contact').waitFor();
  await picture(page, '5-documentation');

  await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
  await page.locator('.graphiql-explorer-root').waitFor();
  await picture(page, '6-explorer');

  await page.getByRole('button', { name: 'Show History' }).click();
  await page.locator('.graphiql-history-item').first().waitFor();

  await page.getByRole('button', { name: 'Show Examples' }).click();
  const before = await page.getByRole('tab').count();
  await page.getByRole('button', { name: /The two upstreams/ }).click();
  await page.waitForFunction(
    (count) => document.querySelectorAll('[role=tab]').length === count,
    before + 1,
  );
  await page.locator('.graphiql-query-editor .view-lines', { hasText: 'Upstreams' }).waitFor();
  await run(page);
  await response(page, '"remaining"');
  await picture(page, '7-examples');
});

test('headers can be edited and are sent', async () => {
  await page.getByRole('button', { name: 'Headers', exact: true }).click();
  await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines').click();
  await page.keyboard.insertText('{ "x-from": "the header editor" }');
  const sent = page.waitForRequest((request) => request.headers()['x-from'] !== undefined);
  await run(page);
  assert.equal((await sent).headers()['x-from'], 'the header editor');
  await picture(page, '8-headers');
});

test('the theme follows the system and can be switched', async () => {
  const editor = (theme) => page.locator(`.graphiql-query-editor .monaco-editor.${theme}`);
  await editor('vs').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await editor('vs-dark').waitFor();
  await picture(page, '9-system-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await editor('vs').waitFor();
  await page.getByRole('button', { name: 'Open settings dialog' }).click();
  await picture(page, '10-settings');
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await page.keyboard.press('Escape');
  await editor('vs-dark').waitFor();
  await page.getByRole('button', { name: 'Hide Examples' }).click();
  await openTab(page, 'OnePerson');
  const { data } = await answer(page);
  await response(page, data.contact.id);
  await picture(page, '11-dark');
});

test('nothing was asked of any other host and nothing was refused or failed', () => {
  assert.deepEqual(offences, []);
});
