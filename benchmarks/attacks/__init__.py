"""What is tried by `benchmarks/attack.py`: a module for each area, whose `attack` yields one `Try` after the other."""
