"""Published measurements, the protocols that repeat them on a circuit, and the verdicts."""
