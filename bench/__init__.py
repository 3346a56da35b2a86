"""Measurements of what has a budget; bench/README.md says how to run them."""
