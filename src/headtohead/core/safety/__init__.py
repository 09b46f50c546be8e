"""What data from others may ask for, and what may be shown or written of it."""
