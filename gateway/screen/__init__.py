"""The station page for the operator. Edge of HTTP."""
