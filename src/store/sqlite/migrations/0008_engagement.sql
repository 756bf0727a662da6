-- What was last seen of people's deliveries, and how far looking for it is (`body` and `position` are
-- JSON that no statement looks into). The same tables as PostgreSQL's step of this number.

CREATE TABLE engagement (
  workspace TEXT    NOT NULL,
  contact   TEXT    NOT NULL,
  asked_at  INTEGER NOT NULL,
  body      TEXT    NOT NULL,
  PRIMARY KEY (contact, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT;

CREATE TABLE engagement_round (
  workspace TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
  position  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Addresses that opted out, by their hash: it outlives links and agreements.
CREATE TABLE suppression (
  workspace TEXT NOT NULL REFERENCES workspace (id),
  hash      TEXT NOT NULL,
  PRIMARY KEY (hash, workspace)
) STRICT, WITHOUT ROWID;
