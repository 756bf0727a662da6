-- Many workspaces beside each other: which account each one has. The same tables as PostgreSQL's step of
-- this number.

-- A name is one workspace's, so that whoever asks for it twice does not get two.
CREATE UNIQUE INDEX workspace_by_name ON workspace (name);

-- The Doppler account or HighLevel location that the credential is for. It stays when the credential
-- is forgotten: what the workspace knows of people is that account's.
ALTER TABLE credential ADD COLUMN account TEXT;

-- An account is connected in one workspace. Version 0 is a credential that the settings hold.
CREATE UNIQUE INDEX credential_by_account ON credential (system, account)
  WHERE account IS NOT NULL AND (sealed IS NOT NULL OR version = 0);

-- Several installations may wait in one workspace, one of a location.
CREATE TABLE held_install (
  workspace  TEXT    NOT NULL REFERENCES workspace (id),
  id         TEXT    NOT NULL,
  account    TEXT    NOT NULL,
  sealed     TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (id, workspace)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX held_install_by_account ON held_install (workspace, account);

INSERT INTO held_install (workspace, id, account, sealed, expires_at)
SELECT workspace, id, '', sealed, expires_at FROM install;

DROP TABLE install;
