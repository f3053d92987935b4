"""Run a circuit over a grid of parameters and seeds: plan, points, processes, table."""
