"""Standard nouns in canonical words and back: what every partner means by them, whatever its product."""
