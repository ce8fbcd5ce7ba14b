"""Tests of Dockledger; the folders mirror the packages. Pure."""
