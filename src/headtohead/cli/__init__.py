"""The commands: thin, each over the public API; the only room that prints."""
