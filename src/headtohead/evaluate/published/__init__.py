"""Published figures beside counts: records, AUROC, sensitivity with specificity, and how they are read."""
