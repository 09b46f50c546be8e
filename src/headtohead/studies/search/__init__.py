"""The parts of `headtohead best`: what is searched over, its features, its figures."""
