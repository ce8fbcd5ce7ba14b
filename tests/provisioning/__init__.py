"""Tests of provisioning. Pure."""
