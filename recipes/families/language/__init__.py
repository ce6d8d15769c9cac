"""What the recipes share whose models write: windows of texts, their training and their scores."""
