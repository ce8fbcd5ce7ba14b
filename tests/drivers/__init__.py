"""Tests of the drivers: bytes against readings, and real lines against simulators. Pure."""
