"""One figure a file: from the summary to a matplotlib Figure."""
