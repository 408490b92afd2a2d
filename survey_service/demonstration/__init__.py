"""A demonstration on a real town with real villages; roster sizes and ballots are generated and marked."""
