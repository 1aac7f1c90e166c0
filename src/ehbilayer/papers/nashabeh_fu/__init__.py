"""L. M. Nashabeh and L. Fu, arXiv (2026): every figure and number again."""
