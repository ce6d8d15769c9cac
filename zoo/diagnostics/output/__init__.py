"""What the commands write: tables, plots, coloured text."""
