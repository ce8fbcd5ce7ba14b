"""Tests of the update agent, with real processes where it counts. Pure."""
