"""The worlds that the Standard track is played in: scml's own simulation, and the same rules compiled."""
