"""What the model can do and what it cannot, measured.

counts     how much is asked, and how · questions what is asked · drawing lets the model draw it
features   what a judge sees of a picture · judges who names what a picture shows, and in which style
panel      the judges, and how well they do with real drawings · measures every number, with its interval
sheet      the random grid and the curves of the training, as pictures · run all of it, to `records/evaluation.json`
"""
