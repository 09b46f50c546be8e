"""What is noticed of an image before its prediction is believed."""
