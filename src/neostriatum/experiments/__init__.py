"""What an experimenter does with single cells and pairs."""
