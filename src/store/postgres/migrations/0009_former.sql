-- Records that are a person's without a link: the subscriber of an earlier address, or of one that is
-- about to be made. Whoever sees one knows whose it is. Never a key that is linked. The same table as
-- SQLite's step of this number.

CREATE TABLE former (
  workspace TEXT COLLATE "C" NOT NULL,
  system TEXT COLLATE "C" NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  key TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key, system, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
);

CREATE INDEX former_by_contact ON former (contact, workspace);
