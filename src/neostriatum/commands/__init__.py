"""The commands, each a thin shell over one Python call; importing them registers them."""
