"""The machine below the zoo: files that last, locks, memory, commands and their errors."""
