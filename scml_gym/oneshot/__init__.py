"""SCML OneShot: all negotiations of a factory's day, as rules, worlds, environments and strategies."""
