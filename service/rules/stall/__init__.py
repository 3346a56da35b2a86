"""Who is waited for, where the time went, and when it is said."""
