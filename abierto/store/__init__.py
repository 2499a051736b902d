"""What is on this disk: sources, pull, verify, remove. Import the file that you need."""
