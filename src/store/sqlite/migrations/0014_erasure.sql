-- People who were erased: nothing of them is kept but that they were. And which credential was announced
-- to end. The same tables as PostgreSQL's
-- step of this number.

-- When the person behind the id was erased; the row stays, so that the id is never anybody else's.
ALTER TABLE contact ADD COLUMN erased_at INTEGER;

-- What an erased person is known again by. `hash`: of an address or of a record's key, made with a key
-- that is not here, so that nobody can try addresses until one fits.
CREATE TABLE erased (
  workspace TEXT NOT NULL,
  hash      TEXT NOT NULL,
  contact   TEXT NOT NULL,
  PRIMARY KEY (hash, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_by_workspace ON erased (workspace);

-- The key of those hashes, encrypted; one row, of the whole store.
CREATE TABLE erasure_key (
  one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  sealed TEXT    NOT NULL
) STRICT;

-- That a credential ends, as it was last told: when it does, and how many days ahead it was told.
CREATE TABLE announced (
  workspace TEXT NOT NULL REFERENCES workspace (id),
  system TEXT NOT NULL,
  ends_at INTEGER NOT NULL,
  days INTEGER NOT NULL,
  PRIMARY KEY (system, workspace)
) STRICT, WITHOUT ROWID;
