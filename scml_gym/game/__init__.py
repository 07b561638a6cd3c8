"""What every game is made of: its definition, its worlds, strategies and environments; knows no game itself."""
