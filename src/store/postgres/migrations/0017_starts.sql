-- Words are listed in the orders by times as well (entry_order), by how they begin, so that of two words that many
-- have those who have both need not be looked for among everybody. The index is made anew. The same as the other
-- database's step of this number.
-- First, because whoever writes to the index has it first.
UPDATE index_basis SET reached = '', filled = 0;
TRUNCATE entry_order, entry_count, entry_term, entry;
