"""What is in stock, as JSON."""
