"""The worlds that OneShot is played in: scml's own simulation, and the same rules compiled."""
