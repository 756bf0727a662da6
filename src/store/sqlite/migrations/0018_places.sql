-- Where somebody stands in an order is one text: the key, U+0001 and the contact. Of a range of pairs PostgreSQL passes
-- all that have the last one's key, and a hundred thousand people may have no time or no name. The index is made anew.
-- The same as the other database's step of this number.
-- First, because whoever writes to the index has it first.
UPDATE index_basis SET reached = '', filled = 0;
DROP TABLE entry_order;

CREATE TABLE entry_order (
  workspace TEXT NOT NULL,
  facet TEXT NOT NULL,
  sort TEXT NOT NULL,
  place TEXT NOT NULL,
  PRIMARY KEY (workspace, facet, sort, place)
) STRICT, WITHOUT ROWID;

DELETE FROM entry_count;
DELETE FROM entry_term;
DELETE FROM entry;
