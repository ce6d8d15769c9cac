"""The scoreboard: results as records in JSON files, and the tables of the pages made from them."""
