-- Words of names are listed in the orders by texts (entry_order), those that do not begin the text, so that whoever
-- has one is gone to at once; addresses know how much of the name they begin with. Who has no text of an order is
-- there by the other one. The index is made anew. The same as the other database's step of this number.
-- First, because whoever writes to the index has it first.
UPDATE index_basis SET reached = '', filled = 0;
DROP TABLE entry_term;

-- shared: of an address, how many characters it has in common with the beginning of the name, 9 at most; '' for words
-- of the name.
CREATE TABLE entry_term (
  workspace TEXT NOT NULL,
  shared TEXT NOT NULL,
  term TEXT NOT NULL,
  contact TEXT NOT NULL,
  PRIMARY KEY (workspace, shared, term, contact)
) STRICT, WITHOUT ROWID;

DELETE FROM entry_order;
DELETE FROM entry_count;
DELETE FROM entry;
