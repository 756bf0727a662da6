-- Who is who, what the systems last said, and what mutations answered.
-- Times are epoch milliseconds (UTC). Every row names its workspace.

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
  PRIMARY KEY (workspace, id),
  FOREIGN KEY (workspace, survivor) REFERENCES contact (workspace, id),
  CHECK (survivor <> id)
) STRICT, WITHOUT ROWID;

CREATE INDEX contact_by_survivor ON contact (workspace, survivor) WHERE survivor IS NOT NULL;

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
  PRIMARY KEY (workspace, system, key),
  FOREIGN KEY (workspace, contact) REFERENCES contact (workspace, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_by_contact ON link (workspace, contact);
CREATE INDEX link_by_email ON link (workspace, email) WHERE email IS NOT NULL;
CREATE INDEX link_by_phone ON link (workspace, phone) WHERE phone IS NOT NULL;

-- `body` is NULL when the system said that there is no such thing.
CREATE TABLE copy (
  workspace  TEXT    NOT NULL REFERENCES workspace (id),
  system     TEXT    NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  kind       TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  body       TEXT,
  fetched_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, system, kind, key)
) STRICT;

CREATE TABLE delivery_seen (
  workspace TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  campaign  TEXT    NOT NULL,
  seen_at   INTEGER NOT NULL,
  PRIMARY KEY (workspace, contact, campaign),
  FOREIGN KEY (workspace, contact) REFERENCES contact (workspace, id)
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
  PRIMARY KEY (workspace, client, mutation, key)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (begun_at);
