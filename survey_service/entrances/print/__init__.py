"""The typst templates of posters and code sheets, and the child process that sets them."""
