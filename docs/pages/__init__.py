"""The generated pages of the reference, one file each: `page(words)` returns the Markdown."""
