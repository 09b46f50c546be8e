"""The parts of `headtohead reproduce`: states of the study, their training, their statistics."""
