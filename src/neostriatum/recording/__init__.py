"""Results on disk, and the object that reads them."""
