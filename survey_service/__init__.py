"""A mass-evaluation service: a scan becomes a ballot, ballots a tally, a tally a score."""
