"""The catalogues of user-facing sentences, one folder per language."""
