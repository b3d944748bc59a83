"""HTTP, protocols, settings, command line, wiring."""
