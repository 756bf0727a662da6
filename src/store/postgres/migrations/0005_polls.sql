-- How far polls are (`position` is JSON that no statement looks into) and in which version each record
-- of a system was last seen. The same tables as SQLite's step of this number.

CREATE TABLE poll (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  system TEXT COLLATE "C" NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  position TEXT NOT NULL,
  PRIMARY KEY (workspace, system)
);

CREATE TABLE seen (
  workspace TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
  system TEXT COLLATE "C" NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  key TEXT COLLATE "C" NOT NULL,
  version TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key, system, workspace)
);
