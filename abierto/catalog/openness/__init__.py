"""What is open about a model: what was found of each component, and what the rules of others say of it.

`evidence` holds the terms, `collect` finds, `report` puts all verdicts side by side. There is no number for all of it.
It opens no link, loads no weights, and gives no legal advice.
"""
