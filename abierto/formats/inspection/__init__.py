"""What is in the files of a model, collected in one report: read from headers alone. Nothing is run.

    folder    the files below a folder, and which links are followed
    readers   which reader reads which file
    shards    which files make up one set of weights
    blocks    a tree of a flat list of tensors
    report    all of it together

A file that cannot be what it should be is a finding in the report. Nothing of a model is loaded, imported or run.
"""

from abierto.formats.inspection.blocks import Block
from abierto.formats.inspection.report import FileReport, Part, Report, inspect, inspect_files, inspect_headers

__all__ = ["Block", "FileReport", "Part", "Report", "inspect", "inspect_files", "inspect_headers"]
