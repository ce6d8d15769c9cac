"""The tests of `zoo`, file by file."""
