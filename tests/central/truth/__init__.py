"""Random scenes of which the true stock is known: the books end with it, or tell what is wrong."""
