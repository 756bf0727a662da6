-- What the vault keeps: `sealed` is an encrypted text that no statement looks into, NULL once the
-- credential was forgotten. The same tables as PostgreSQL's step of this number.

-- `version` counts up with each change. Whoever holds the lease renews the credential, nobody else.
CREATE TABLE credential (
  workspace    TEXT    NOT NULL REFERENCES workspace (id),
  system       TEXT    NOT NULL,
  version      INTEGER NOT NULL,
  sealed       TEXT,
  lease        TEXT,
  leased_until INTEGER,
  PRIMARY KEY (system, workspace)
) STRICT, WITHOUT ROWID;

-- An installation that began at the marketplace and waits for somebody to confirm it.
CREATE TABLE install (
  workspace  TEXT    NOT NULL PRIMARY KEY REFERENCES workspace (id),
  id         TEXT    NOT NULL,
  sealed     TEXT    NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
