"""Studies that train many learners."""
