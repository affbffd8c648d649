"""What utilities mean: the words that every other package speaks. Standard library only."""
