"""When to try again, when to write, what to ask for again."""
