# SPDX-License-Identifier: Apache-2.0
"""What the model can do and what it cannot, measured.

counts     how much is asked, and how · questions what is asked · drawing lets the model draw it
features   what a judge sees of a picture · judges who names what it shows · panel all of them together
answers    what they say of pictures that were drawn, and of real ones · styles who names the family
measures   every number, by intervals with its interval
sheet      the random grid and the curves of the training, as pictures · run all of it, to `evaluation.json`
"""
