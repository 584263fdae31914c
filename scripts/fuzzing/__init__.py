"""Parts of scripts/fuzz.py, the coverage-guided fuzz of the config loader."""
