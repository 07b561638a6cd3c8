"""The study of safety: what a shield is worth, and where the forerunners stand."""
