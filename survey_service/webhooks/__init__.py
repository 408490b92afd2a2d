"""Signed messages to other systems: stored with what happened, sent by workers, tried again, and logged."""
