"""Measurements side by side: `make bench` runs all of them and writes `bench/RESULTS.md`.

Machines are shared and noisy, so each measurement runs what it compares in turn (A B A B ...), states medians with
their spread, and compares by the ratios of neighbouring runs.
"""
