"""The hardware lab: real kernel devices and power cuts in a Debian guest under QEMU. Root."""
