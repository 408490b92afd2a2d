"""Assisted visits: a villager votes on the phone of a staff member, with the household's code."""
