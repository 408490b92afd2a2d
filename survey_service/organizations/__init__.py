"""The tree county, town, village, branch: what is rated and how many people belong to it."""
