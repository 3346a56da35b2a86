"""What was measured, and how it compares with what was promised."""
