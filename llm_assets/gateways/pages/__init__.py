"""The pages that people open in a browser: templates, style and scripts, and how they become one file."""
