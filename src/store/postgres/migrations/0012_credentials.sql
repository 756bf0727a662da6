-- What the vault keeps: `sealed` is an encrypted text that no statement looks into, NULL once the
-- credential was forgotten. The same tables as SQLite's step of this number.

-- `version` counts up with each change. Whoever holds the lease renews the credential, nobody else.
CREATE TABLE credential (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  system TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  sealed TEXT,
  lease TEXT COLLATE "C",
  leased_until BIGINT,
  PRIMARY KEY (system, workspace)
);

-- An installation that began at the marketplace and waits for somebody to confirm it.
CREATE TABLE install (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES workspace (id),
  id TEXT COLLATE "C" NOT NULL,
  sealed TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
