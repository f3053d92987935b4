"""Networks for NEURON: NMODL of the models, what arrives, and the script that simulates them."""
