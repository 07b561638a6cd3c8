"""The environments over SCML OneShot."""
