"""Subwords: learning and segmentation of unigram pieces."""
