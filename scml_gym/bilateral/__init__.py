"""Bilateral negotiations of alternating offers over any scenario."""
