"""The PettingZoo environments of the games."""
