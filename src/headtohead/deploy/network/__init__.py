"""The network of a bundle in torch: bodies, heads, combination."""
