"""The command ``wirenas``."""
