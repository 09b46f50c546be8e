"""Which files of a source are meant as images, and which of them the options select."""
