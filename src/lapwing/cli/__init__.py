"""The commands, one module each. `main` knows their names and loads only the one that is asked for."""
