"""`python -m headtohead`: the same as the command `headtohead`."""

from headtohead.cli import main

if __name__ == "__main__":
    main()
