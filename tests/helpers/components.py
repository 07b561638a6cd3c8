"""What the components of a page say."""

import json


def as_json(components):
    """Components as a browser gets them."""
    return json.loads(json.dumps(components, default=lambda part: part.to_plotly_json()))


def texts(part):
    """All texts that a browser shows as text."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for inner in part:
            yield from texts(inner)
    elif isinstance(part, dict) and "props" in part:
        yield from texts(part["props"].get("children"))
