"""Questionnaires, their frozen versions, option sets and the registry of question kinds."""
