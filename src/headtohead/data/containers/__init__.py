"""Sources whose files hold more than one plain image: sets of arrays, labels inside files."""
