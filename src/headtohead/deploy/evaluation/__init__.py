"""A model on data that it was not trained on."""
