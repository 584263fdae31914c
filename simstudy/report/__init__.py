"""From a results folder to figures and one page."""
