"""Lines to devices, one outside library a module: bytes in and out, DeviceLost when gone. Edge."""
