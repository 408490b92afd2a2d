"""The audit trail: a chain of entries in which nothing can be altered, removed or reordered unnoticed."""
