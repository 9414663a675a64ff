"""Figures: what the program achieves, measured the same way every time."""
