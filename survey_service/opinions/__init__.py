"""Opinions and their cases: redacted, sorted, answered, and judged by their authors."""
