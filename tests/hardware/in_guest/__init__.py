"""What runs inside the guest: emulated devices and the tests that use them. Root."""
