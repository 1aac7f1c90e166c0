"""Electron-hole coherence in crystals, which no paper has computed; our own results, computed again."""
