"""Engines turn a network and a number of steps into spikes."""
