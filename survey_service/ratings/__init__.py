"""Rating schemes as data, cycles of rating, and grades that explain themselves down to the ballots."""
