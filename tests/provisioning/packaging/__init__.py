"""Tests of releases and packages. Pure."""
