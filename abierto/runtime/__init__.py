"""The one door to a model: resolve a name, check that it fits, start it, count tokens, stream, record."""
