"""How fast circuits run on this machine."""
