"""A ballot's way in: open, validate, de-duplicate, store; receipts."""
