"""What is simulated: frozen, validated data, every number with its unit and source."""
