"""NEST, the distributed engine: cells generated as NESTML, threads, and MPI across machines."""
