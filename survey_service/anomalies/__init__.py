"""What looks wrong and what people decide about it: exclusions of groups, decided blind, and disputes."""
