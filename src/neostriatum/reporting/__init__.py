"""The report of a run: one page that says what was simulated, with what, and what came out."""
