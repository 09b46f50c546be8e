"""Maps of the images of a finished run, by heads that did not see them, and the files they are kept in."""
