"""How recurrent networks work, as numbers, pictures and commands."""
