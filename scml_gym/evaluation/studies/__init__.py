"""Studies: many runs, computed by several workers, resumed, and reported."""
