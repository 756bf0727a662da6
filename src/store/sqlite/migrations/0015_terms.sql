-- Words know what they begin, so that whoever is put in order by what begins with a word is gone to at once. The
-- index is made anew. The same as the other database's step of this number.
DROP TABLE entry_term;

-- begins: the letters of the orders (entry_order.sort) whose text begins with the word: '', 'e', 'n' or 'en'.
CREATE TABLE entry_term (
  workspace TEXT NOT NULL,
  begins TEXT NOT NULL,
  term TEXT NOT NULL,
  contact TEXT NOT NULL,
  PRIMARY KEY (workspace, begins, term, contact)
) STRICT, WITHOUT ROWID;

DELETE FROM entry_order;
DELETE FROM entry_count;
DELETE FROM entry;
UPDATE index_basis SET reached = '', filled = 0;
