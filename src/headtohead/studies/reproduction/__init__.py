"""The study of `headtohead reproduce`: states of the protocol, their training, their statistics."""
