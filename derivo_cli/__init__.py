"""derivo: the command line."""
