"""What a method returns: status, numbers, arrays with units; how they are kept in files."""
