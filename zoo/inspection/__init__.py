"""`python -m zoo inspect PATH`: what a saved or exported model takes, returns and comes from."""
