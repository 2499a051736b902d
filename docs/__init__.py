"""The documents of Abierto, and what writes their generated pages and records the session of the READMEs."""
