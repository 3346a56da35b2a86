"""One file per behaviour: gather the facts, decide by the rules, return what is to be written."""
