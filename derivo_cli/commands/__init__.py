"""One module a command: values in, an exit code out. What they share is in derivo_cli itself."""
