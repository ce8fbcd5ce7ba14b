"""Harnesses for a coverage-guided fuzzer, and the inputs worth keeping. Pure."""
