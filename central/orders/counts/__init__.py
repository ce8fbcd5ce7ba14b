"""Counts of stock: planned, drawn, judged while stock moves, posted. Pure."""
