"""After closing: freeze, recount, snapshot, unlink, destroy the key; the public list of receipts."""
