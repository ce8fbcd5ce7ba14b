"""Items, packs, partners and places, as people keep them. Pure."""
