"""`python -m skydex`: the command, where its script is not on the path."""

from skydex.cli import main

if __name__ == "__main__":
    main()
