"""What many opinions say together: search, groups, words, warnings, figures, and news for other systems."""
