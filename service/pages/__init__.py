"""Read models of the portfolio and of one POC: what is stored in, frozen views out."""
