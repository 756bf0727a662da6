-- Who is who, what the systems last said, and what mutations answered.
-- Times are epoch milliseconds (UTC). Every row names its workspace.
--
-- Keys begin with what tells rows apart and end with the workspace. The other way round, SQLite
-- takes a scan of the whole workspace for as good as a lookup in an index: without statistics it
-- expects ten rows behind the first column of any of them.

CREATE TABLE workspace (
  id         TEXT    NOT NULL PRIMARY KEY,
  name       TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A contact's id never changes and is never reused. After a merge `survivor` names the contact that
-- answers for it: always the last one, so that one step leads there.
CREATE TABLE contact (
  workspace TEXT NOT NULL REFERENCES workspace (id),
  id        TEXT NOT NULL,
  survivor  TEXT,
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (survivor, workspace) REFERENCES contact (id, workspace),
  CHECK (survivor <> id)
) STRICT, WITHOUT ROWID;

CREATE INDEX contact_by_survivor ON contact (survivor, workspace) WHERE survivor IS NOT NULL;

-- `contact` is never one that was merged away. `seen_at`: when a row was last found to be new or
-- different, not when it was last read, so that reading writes nothing.
CREATE TABLE link (
  workspace TEXT    NOT NULL,
  system    TEXT    NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  key       TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  email     TEXT,
  phone     TEXT,
  seen_at   INTEGER NOT NULL,
  PRIMARY KEY (key, system, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_by_contact ON link (contact, workspace);
CREATE INDEX link_by_email ON link (email, workspace) WHERE email IS NOT NULL;
CREATE INDEX link_by_phone ON link (phone, workspace) WHERE phone IS NOT NULL;

-- `body` is NULL when the system said that there is no such thing.
CREATE TABLE copy (
  workspace  TEXT    NOT NULL REFERENCES workspace (id),
  system     TEXT    NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  kind       TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  body       TEXT,
  fetched_at INTEGER NOT NULL,
  PRIMARY KEY (key, kind, system, workspace)
) STRICT;

CREATE TABLE delivery_seen (
  workspace TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  campaign  TEXT    NOT NULL,
  seen_at   INTEGER NOT NULL,
  PRIMARY KEY (contact, campaign, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT, WITHOUT ROWID;

-- `begun_at` is the first use, from which the 24 hours count; `claimed_at` the latest claim, NULL
-- once nobody is at it any more: with an outcome, or in doubt without one.
CREATE TABLE idempotency (
  workspace  TEXT    NOT NULL REFERENCES workspace (id),
  client     TEXT    NOT NULL,
  mutation   TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  input_hash TEXT    NOT NULL,
  begun_at   INTEGER NOT NULL,
  claimed_at INTEGER,
  outcome    TEXT,
  PRIMARY KEY (key, client, mutation, workspace)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (begun_at);
