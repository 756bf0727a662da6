-- Records that are a person's without a link: the subscriber of an earlier address, or of one that is
-- about to be made. Whoever sees one knows whose it is. Never a key that is linked. The same table as
-- PostgreSQL's step of this number.

CREATE TABLE former (
  workspace TEXT NOT NULL,
  system    TEXT NOT NULL CHECK (system IN ('DOPPLER', 'HIGHLEVEL')),
  key       TEXT NOT NULL,
  contact   TEXT NOT NULL,
  PRIMARY KEY (key, system, workspace),
  FOREIGN KEY (contact, workspace) REFERENCES contact (id, workspace)
) STRICT, WITHOUT ROWID;

CREATE INDEX former_by_contact ON former (contact, workspace);
