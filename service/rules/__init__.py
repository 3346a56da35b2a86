"""Pure rules: frozen facts and `now` in, values out. No client, clock, database or settings in here."""
