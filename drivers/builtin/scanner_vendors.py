"""USB vendors that make bar code scanners: their keyboards and ports are offered first. Pure.

Source: the USB ID repository (usb.ids of the hwdata package): 05E0 Symbol Technologies (Zebra),
05F9 PSC Scanning (Datalogic), 0C2E Metrologic Instruments (Honeywell), 0536 Hand Held Products
(Honeywell), 065A Optoelectronics (Opticon), 1EAB Fujian Newland.
"""

SCANNER_VENDORS = (0x05E0, 0x05F9, 0x0C2E, 0x0536, 0x065A, 0x1EAB)
