"""Native vector environments over bilateral negotiations."""
