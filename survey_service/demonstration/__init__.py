"""A demonstration on a real town: its villages are real, roster sizes and ballots are generated and marked."""
