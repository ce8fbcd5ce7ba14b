"""The demo warehouse: everything on one machine, a scripted morning, every figure checked. Root."""
