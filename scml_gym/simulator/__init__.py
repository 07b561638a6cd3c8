"""scml's own simulation, made deterministic and pausable."""
