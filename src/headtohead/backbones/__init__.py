"""Pretrained networks: what there is, where the weights come from, and their features."""
