"""D. D. Dai and L. Fu, PRL 132, 196202 (2024): every figure and number again."""
