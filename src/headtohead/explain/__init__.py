"""Where in the picture a contender found its answer."""
