"""What is looked at to say whether a project can run."""
