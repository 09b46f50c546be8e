"""The models of a server and the queue in front of each."""
