"""Accounts of county, town and branch staff: roles, scopes, tokens, the permission table."""
