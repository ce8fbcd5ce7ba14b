"""Labels as pictures, for printers that take dots and for people who look first. Edge.

Nothing here is imported by a gateway before it draws its first label.
"""
