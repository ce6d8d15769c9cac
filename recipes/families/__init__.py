"""What several recipes share, by the kind of their task."""
