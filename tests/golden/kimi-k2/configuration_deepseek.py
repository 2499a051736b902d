"""Stands for the file of this name."""
