"""Makes what is installed: wheelhouses, signed releases, Debian packages. Pure."""
