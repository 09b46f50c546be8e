"""What the command prints: verdicts, tables, errors, each to the width of the terminal."""
