# Copyright (c) Alibaba Cloud
"""Stands for the file of this name."""
