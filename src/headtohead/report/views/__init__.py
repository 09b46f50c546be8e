"""The content of the pages, gathered from the files of a run folder."""
