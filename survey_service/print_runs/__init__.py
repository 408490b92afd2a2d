"""Letters and slips for a whole county: runs of printing, part by part, that go on where they stopped."""
