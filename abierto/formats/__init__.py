"""Reads what model files say about themselves. It loads no weights, runs nothing, and knows no engine.

detect      what a file looks like, from its first few kB
gguf        the header of a GGUF file, safe on hostile input
footprint   the memory that a model will take, from its header alone
openvino_model   what the folder of an OpenVINO model says, and the memory that it will take
"""
