"""Tasks that teach: environments, encoders, readouts, critics, and the session that joins them."""
