"""Which licence a model is under: what is declared, what the texts and the files say, and where these disagree.

It refuses instead of guessing: a text that is not known word for word, or that says more than the licence it begins
as, has no name here. It judges no model and gives no legal advice.
"""
