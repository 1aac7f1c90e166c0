"""Response: does anything pair by the response of both liquids; our own results, computed again."""
