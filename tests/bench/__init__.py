"""Measurements of `make bench`; every figure is a ratio within one run. Root."""
