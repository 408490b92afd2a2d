"""The tally sheet per campaign, subject, class and mode, rebuilt slice by slice from the ballots."""
