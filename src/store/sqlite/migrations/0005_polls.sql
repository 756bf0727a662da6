-- How far polls are (`position` is JSON that no statement looks into) and in which version each record
-- of a system was last seen. The same tables as PostgreSQL's step of this number.

CREATE TABLE poll (
  workspace TEXT NOT NULL REFERENCES workspace (id),
  system    TEXT NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  position  TEXT NOT NULL,
  PRIMARY KEY (workspace, system)
) STRICT, WITHOUT ROWID;

CREATE TABLE seen (
  workspace TEXT NOT NULL REFERENCES workspace (id),
  system    TEXT NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  key       TEXT NOT NULL,
  version   TEXT NOT NULL,
  PRIMARY KEY (key, system, workspace)
) STRICT, WITHOUT ROWID;
