"""Files, locks, memory and the error handling of commands."""
