"""The environments over bilateral negotiations."""
