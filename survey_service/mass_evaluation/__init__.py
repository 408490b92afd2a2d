"""From the tally to rates, scores, intervals and gates, with a trace."""
