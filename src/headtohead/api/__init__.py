"""The public Python functions and their results; `headtohead` exports them lazily, the commands are thin over them."""
