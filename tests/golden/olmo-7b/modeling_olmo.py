# SPDX-License-Identifier: Apache-2.0
"""Stands for the file of this name."""
