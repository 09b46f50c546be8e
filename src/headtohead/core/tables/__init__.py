"""Records of the tables behind a verdict; field names are the keys of `verdict.json` under "details"."""
