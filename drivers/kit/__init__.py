"""The driver kit: captures, replay and the conformance checks that any driver runs. Pure."""
