"""Protocols of current clamp, as they are used on slices."""
