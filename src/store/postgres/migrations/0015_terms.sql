-- Words know what they begin, so that whoever is put in order by what begins with a word is gone to at once. The
-- index is made anew. The same as the other database's step of this number.
DROP TABLE entry_term;

-- begins: the letters of the orders (entry_order.sort) whose text begins with the word: '', 'e', 'n' or 'en'.
CREATE TABLE entry_term (
  workspace TEXT COLLATE "C" NOT NULL,
  begins TEXT COLLATE "C" NOT NULL,
  term TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (workspace, begins, term, contact)
);

DELETE FROM entry_order;
DELETE FROM entry_count;
DELETE FROM entry;
UPDATE index_basis SET reached = '', filled = 0;
