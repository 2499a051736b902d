"""The conversation in the terminal: `loop` runs it, `slash` holds its commands, `state` what it consists of."""
