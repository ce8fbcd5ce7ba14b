"""Gateways, a broker and central in one process, on a virtual clock, from one seed."""
