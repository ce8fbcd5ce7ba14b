"""Tests of the contract between gateways and ledger. Pure."""
