"""Subwords: learning, segmentation and sampling of unigram pieces."""
