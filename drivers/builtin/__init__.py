"""The drivers that come with Dockledger: transport + protocol + settings. Edge of the devices."""
