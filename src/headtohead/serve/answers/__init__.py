"""What the server answers with: records, tensors, pixels and maps."""
