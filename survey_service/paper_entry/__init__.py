"""Paper ballots and meeting totals: printed, keyed twice, compared, and counted in one transaction."""
