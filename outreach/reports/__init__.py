"""Figures, comparisons and advice; the weekly report."""
