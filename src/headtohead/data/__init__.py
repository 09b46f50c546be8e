"""Where images come from: readers, manifests, sources, folds."""
