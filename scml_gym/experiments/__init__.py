"""Run folders, and environments made of a configuration."""
