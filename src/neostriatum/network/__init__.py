"""Who is where and connected to whom: arrays, without equations."""
