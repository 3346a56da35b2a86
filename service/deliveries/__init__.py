"""What a payload means: which facts it tells, which subjects need a look. Imports rules only."""
