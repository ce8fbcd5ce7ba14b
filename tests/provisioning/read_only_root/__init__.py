"""Tests of a root that is only read. Pure, and edge of mkfs."""
