-- Who is who, what the systems last said, and what mutations answered.
-- Times are epoch milliseconds (UTC). Every row names its workspace. The same tables as SQLite's step
-- of this number. Texts that are compared or put in order are so by their bytes, as in SQLite.

-- SQLite's function of this name, for a JSON array: what lets one text of a statement do for both.
-- PostgreSQL's own takes a value of type json.
CREATE FUNCTION json_each(list TEXT, OUT key BIGINT, OUT value JSON) RETURNS SETOF RECORD
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20 AS $$
  SELECT at - 1, element FROM json_array_elements(list::json) WITH ORDINALITY AS t (element, at)
$$;

CREATE TABLE workspace (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- A contact's id never changes and is never reused. After a merge `survivor` names the contact that
-- answers for it: always the last one, so that one step leads there.
CREATE TABLE contact (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  id TEXT COLLATE "C" NOT NULL,
  survivor TEXT COLLATE "C",
  PRIMARY KEY (id, workspace),
  FOREIGN KEY (survivor, workspace) REFERENCES contact (id, workspace),
  CHECK (survivor <> id)
);

CREATE INDEX contact_by_survivor ON contact (survivor, workspace) WHERE survivor IS NOT NULL;

-- `contact` is never one that was merged away. `seen_at`: when a row was last found to be new or
-- different, not when it was last read, so that reading writes nothing.
CREATE TABLE link (
  workspace TEXT COLLATE "C" NOT NULL,
  system TEXT COLLATE "C" NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  key TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C",
  phone TEXT COLLATE "C",
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (key, system, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

CREATE INDEX link_by_contact ON link (contact, workspace);
CREATE INDEX link_by_email ON link (email, workspace) WHERE email IS NOT NULL;
CREATE INDEX link_by_phone ON link (phone, workspace) WHERE phone IS NOT NULL;

-- `body` is NULL when the system said that there is no such thing.
CREATE TABLE copy (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  system TEXT COLLATE "C" NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  body TEXT,
  fetched_at BIGINT NOT NULL,
  PRIMARY KEY (key, kind, system, workspace)
);

CREATE TABLE delivery_seen (
  workspace TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  campaign TEXT COLLATE "C" NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (contact, campaign, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

-- `begun_at` is the first use, from which the 24 hours count; `claimed_at` the latest claim, NULL
-- once nobody is at it any more: with an outcome, or in doubt without one.
CREATE TABLE idempotency (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  client TEXT COLLATE "C" NOT NULL,
  mutation TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  input_hash TEXT COLLATE "C" NOT NULL,
  begun_at BIGINT NOT NULL,
  claimed_at BIGINT,
  outcome TEXT,
  PRIMARY KEY (key, client, mutation, workspace)
);

CREATE INDEX idempotency_by_age ON idempotency (begun_at);
