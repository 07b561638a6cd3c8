"""What is called by name on a command line: ``scml-gym``; ``train.py`` and ``evaluate.py`` are parts of it."""
