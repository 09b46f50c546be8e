"""The network that is trained: backbone with classifier, adapters, and faster forms of its layers."""
