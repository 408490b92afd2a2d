"""Which questionnaire, which subjects, which rater classes, the window and the frozen formula."""
