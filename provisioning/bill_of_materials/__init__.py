"""What the product is made of: every package it needs, with hashes and licences. Pure."""
