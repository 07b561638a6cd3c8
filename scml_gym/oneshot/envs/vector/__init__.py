"""Native vector environments over SCML OneShot."""
