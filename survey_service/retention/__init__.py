"""What is kept how long: a schedule as data, and its daily run. Ballots and the audit trail are not in it."""
