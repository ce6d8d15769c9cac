"""Data sets: the `--data` option to splits of labelled, tagged, paired or running text."""
