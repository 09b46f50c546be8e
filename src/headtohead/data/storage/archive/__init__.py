"""What archives may hold."""
