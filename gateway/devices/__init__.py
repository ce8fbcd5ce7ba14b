"""One supervised thread a device, and the print queue. Loop."""
