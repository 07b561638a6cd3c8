"""The study of commitment learning."""
