"""A score that is linear in pooled features, written as a sum over places of the image."""
