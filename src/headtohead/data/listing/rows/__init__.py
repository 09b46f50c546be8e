"""The rows of a table of images: what is asked of their labels, and what is refused."""
