"""Small environments."""

SMALL = {"OneShot": {"days": 3}, "Standard": {"days": 3}, "Bilateral": {"rounds": 8, "opponent": "boulware"}}
"""Arguments, by how the environments' names begin."""
