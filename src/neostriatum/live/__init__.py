"""A circuit that runs while somebody looks at it and turns its knobs."""
