"""What people write in comments: parsing, arguments, refusals, and what a command changes in a charter."""
