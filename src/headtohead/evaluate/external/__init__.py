"""Files of predictions made elsewhere: reading, naming of columns, lines."""
