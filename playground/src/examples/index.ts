// To add an example: a `.graphql` file here (its name is the operation's), where it has variables
// a `.json` file beside it, and an entry below. The tests run every `.graphql` file in this folder.
import contactChanged from './ContactChanged.graphql?raw';
import contactsPage from './ContactsPage.graphql?raw';
import createNote from './CreateNote.graphql?raw';
import createNoteVariables from './CreateNote.json?raw';
import dopplerSource from './DopplerSource.graphql?raw';
import index from './Index.graphql?raw';
import onePerson from './OnePerson.graphql?raw';
import onePersonVariables from './OnePerson.json?raw';
import search from './Search.graphql?raw';
import searchVariables from './Search.json?raw';
import syncEvents from './SyncEvents.graphql?raw';
import syncPlan from './SyncPlan.graphql?raw';
import upsertContact from './UpsertContact.graphql?raw';
import upsertContactVariables from './UpsertContact.json?raw';
import upstreams from './Upstreams.graphql?raw';

/** An operation that teaches one thing. */
export interface Example {
  /** What the reader gets. */
  title: string;
  /** One line more. */
  summary: string;
  query: string;
  /** JSON. */
  variables?: string;
}

/** In the order of their tabs. */
export const examples: Example[] = [
  {
    title: 'One person, both systems',
    summary: 'Unified fields, each side as it is, where they differ, how fresh it is.',
    query: onePerson,
    variables: onePersonVariables,
  },
  {
    title: 'A page with notes and tasks',
    summary: 'Twenty contacts; what hangs on them is fetched in batches.',
    query: contactsPage,
  },
  {
    title: 'Search and filter',
    summary: 'Free text, tags and order, with variables.',
    query: search,
    variables: searchVariables,
  },
  {
    title: 'The index of both systems',
    summary: 'Any filter and order, and everybody in numbers, without a call.',
    query: index,
  },
  {
    title: "Doppler's own listing",
    summary: 'The same people from the other side, with lists and deliveries.',
    query: dopplerSource,
  },
  {
    title: 'Write a note',
    summary: 'A mutation that is safe to send twice.',
    query: createNote,
    variables: createNoteVariables,
  },
  {
    title: 'Add a person to both systems',
    summary: 'One mutation; what each system made of it, and why.',
    query: upsertContact,
    variables: upsertContactVariables,
  },
  {
    title: 'What sync would do',
    summary: 'A plan with reasons. Nothing is written.',
    query: syncPlan,
  },
  {
    title: 'Watch sync at work',
    summary: 'A subscription to the history, with no gap when it is resumed.',
    query: syncEvents,
  },
  {
    title: 'Watch a person',
    summary: 'A subscription: leave it running and write a note in a second window.',
    query: contactChanged,
  },
  {
    title: 'The two upstreams',
    summary: 'Connection, rights and how many calls are left.',
    query: upstreams,
  },
];
