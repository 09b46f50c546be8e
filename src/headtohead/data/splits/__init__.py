"""Folds that never split a group, with the proof."""
