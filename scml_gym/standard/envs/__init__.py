"""The environments over the Standard track."""
