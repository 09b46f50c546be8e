"""Where pictures come from: readers, manifests, sources, folds."""
