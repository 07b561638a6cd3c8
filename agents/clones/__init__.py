"""Clones: compact models of how other agents decide, fitted to what they did in real worlds."""
