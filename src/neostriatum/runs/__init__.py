"""A run from its first step to its results: start, loop, go on, again."""
