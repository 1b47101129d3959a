"""What makes things: the README's tables, the package that is deployed."""
