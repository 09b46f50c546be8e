"""What a page shows, gathered from the files of a run folder."""
