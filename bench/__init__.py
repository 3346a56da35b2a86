"""Measurements of what design section 9 budgets; bench/README.md says how to run them."""
