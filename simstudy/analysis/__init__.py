"""From replicates and limits to tidy measures."""
