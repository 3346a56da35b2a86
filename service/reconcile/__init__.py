"""One file per subject or check run: gather the facts, decide by the rules, note, apply."""
