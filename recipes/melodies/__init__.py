"""One to many: a start note -> a melody that begins with it."""
