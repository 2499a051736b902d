"""What a model can be asked: one file for each task, with its request; the events of all answers in `events`."""
