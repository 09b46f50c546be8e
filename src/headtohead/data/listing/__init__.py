"""Which images there are, with label, group and split: folders, tables, patients."""
