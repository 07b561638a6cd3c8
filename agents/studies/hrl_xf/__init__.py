"""The study of the hierarchical agent: its variants and others in the same seats.

Its files in order: `config`, `play` (a world, and what is measured in it), `study`, `report`.
"""
