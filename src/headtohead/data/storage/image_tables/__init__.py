"""Images kept inside Parquet and Arrow files, as Hugging Face data sets are."""
