"""Reminders to secretaries: once a week at most, to all branches alike, and never about a household."""
