"""What a device does, on one page: `page` puts the phases and the pairing together, `result` is what it says."""
