"""HTTP in, pages out; decides nothing."""
