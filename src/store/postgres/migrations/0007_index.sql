-- The index of contacts, made of links and last known copies. The same tables as the other database's
-- step of this number. Texts are put in order by their bytes.
--
-- All keys begin with the workspace here, against the rule of the first step: each table has one
-- index, and whoever reads it names every column before the one that is walked.

-- What entries are made with (JSON that no statement looks into), and up to which contact they were
-- made with it; filled = 1: all were. Its row is the lock of the workspace's index.
CREATE TABLE index_basis (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES workspace (id),
  body TEXT NOT NULL,
  reached TEXT COLLATE "C" NOT NULL DEFAULT '',
  filled BIGINT NOT NULL DEFAULT 0
);

-- What the index says of a contact. terms: the words that find them, each after a space.
CREATE TABLE entry (
  workspace TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  terms TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (workspace, contact),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

-- Everybody of a facet in every order: a page of it is a walk along the key.
CREATE TABLE entry_order (
  workspace TEXT COLLATE "C" NOT NULL,
  facet TEXT COLLATE "C" NOT NULL,
  sort TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (workspace, facet, sort, key, contact)
);

CREATE TABLE entry_term (
  workspace TEXT COLLATE "C" NOT NULL,
  term TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (workspace, term, contact)
);

-- How many there are of each facet, so that nobody has to count them.
CREATE TABLE entry_count (
  workspace TEXT COLLATE "C" NOT NULL,
  facet TEXT COLLATE "C" NOT NULL,
  total BIGINT NOT NULL,
  PRIMARY KEY (workspace, facet)
);

-- SQLite's function of this name: where a text stands in another, from 1; 0: nowhere.
CREATE FUNCTION instr(whole TEXT, part TEXT) RETURNS INTEGER
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT strpos(whole, part) $$;
