"""Named, pure steps on arrays, and the recipes made of them."""
