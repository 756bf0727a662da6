-- The index of contacts, made of links and last known copies. The same tables as the other database's
-- step of this number. Texts are put in order by their bytes.
--
-- All keys begin with the workspace here, against the rule of the first step: each table has one
-- index, and whoever reads it names every column before the one that is walked.

-- What entries are made with (JSON that no statement looks into), and up to which contact they were
-- made with it; filled = 1: all were. Its row is the lock of the workspace's index.
CREATE TABLE index_basis (
  workspace TEXT    NOT NULL PRIMARY KEY REFERENCES workspace (id),
  body TEXT NOT NULL,
  reached TEXT    NOT NULL DEFAULT '',
  filled INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What the index says of a contact. terms: the words that find them, each after a space.
CREATE TABLE entry (
  workspace TEXT    NOT NULL,
  contact TEXT    NOT NULL,
  terms TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (workspace, contact),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT;

-- Everybody of a facet in every order: a page of it is a walk along the key.
CREATE TABLE entry_order (
  workspace TEXT    NOT NULL,
  facet TEXT    NOT NULL,
  sort TEXT    NOT NULL,
  key TEXT    NOT NULL,
  contact TEXT    NOT NULL,
  PRIMARY KEY (workspace, facet, sort, key, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry_term (
  workspace TEXT    NOT NULL,
  term TEXT    NOT NULL,
  contact TEXT    NOT NULL,
  PRIMARY KEY (workspace, term, contact)
) STRICT, WITHOUT ROWID;

-- How many there are of each facet, so that nobody has to count them.
CREATE TABLE entry_count (
  workspace TEXT    NOT NULL,
  facet TEXT    NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (workspace, facet)
) STRICT, WITHOUT ROWID;
