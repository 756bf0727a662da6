-- Words are listed in the orders by times as well (entry_order), by how they begin, so that of two words that many
-- have those who have both need not be looked for among everybody. The index is made anew. The same as the other
-- database's step of this number.
-- First, because whoever writes to the index has it first.
UPDATE index_basis SET reached = '', filled = 0;
DELETE FROM entry_order;
DELETE FROM entry_count;
DELETE FROM entry_term;
DELETE FROM entry;
