"""Many environments at once, whatever is played: rows, autoreset, seeds, worker threads."""
