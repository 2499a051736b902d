"""How models are made on this computer.

quantize    the same model with fewer bits for each number
convert     a model as its makers publish it, as a GGUF file
"""
